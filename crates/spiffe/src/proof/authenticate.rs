use std::time::SystemTime;

use super::http::{Fields, Request};
use super::presented::{presented, refuse_misuse};
use super::protocol::sealed::SealedFields;
use super::{ProofError, ProofVerifier, ProvenWit};
use crate::bundle::BundleSource;
use crate::wit::{Lifespan, Wit};

/// Says who sent a request: takes the WIT-SVID out of it, verifies it against the bundle of its own trust domain (creds §3:
/// nothing in the token says where keys come from), and has the proof judged.
///
/// # Errors
///
/// If the request came over a channel that others can read, has not exactly one WIT-SVID, has one in `Authorization`, the
/// WIT-SVID does not hold, or its proof is missing, is of another token, key or request, is too old or was used before.
pub fn authenticate(
    request: &Request<'_>,
    bundles: &(impl BundleSource + ?Sized),
    lifespan: Lifespan,
    verifier: &(impl ProofVerifier + ?Sized),
    now: SystemTime,
) -> Result<ProvenWit, ProofError> {
    let fields = Fields::new(request.fields)?;
    refuse_misuse(fields, request.channel)?;
    let wit = Wit::verify(presented(fields)?, bundles, lifespan, now)?;
    let bound = verifier.judge(request, SealedFields(fields), &wit, now)?;
    Ok(ProvenWit::new(wit, bound))
}

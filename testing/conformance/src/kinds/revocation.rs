//! `x509-svid-with-crls`: a chain is verified by someone who holds bundles and revocation lists.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::x509::{Certificate, Crl, Revocation, SignedCrl, VerifyOptions, WithoutCrl, X509Svid};

use super::Outcome;
use super::input::{Bundles, Bytes, bundle_set, moment};
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "x509-svid-with-crls";

/// A chain and what it is judged by.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// The certificates, leaf first, DER.
    pub chain: Vec<Bytes>,
    /// What the verifier trusts.
    pub bundles: Bundles,
    /// The revocation lists, DER. One that no authority of chain or bundles signed is one that is not there.
    pub crls: Vec<Bytes>,
    /// Whether a certificate is refused of whose issuer there is no list that holds now.
    pub strict: bool,
    /// When it is judged, in seconds since 1970.
    pub now: i64,
}

impl From<Members> for Input {
    fn from(members: Members) -> Self {
        Self { kind: KIND, members: json!(members) }
    }
}

pub(super) fn judge(members: Members) -> Outcome {
    let bundles = bundle_set(&members.bundles)?;
    let authorities: Vec<Certificate> = members
        .chain
        .iter()
        .chain(members.bundles.values().flat_map(|held| &held.x509))
        .filter_map(|der| Certificate::parse(der.0.clone()).ok())
        .collect();
    let signed = |der: &Bytes| -> Option<SignedCrl> {
        let crl = Crl::parse(der.0.clone()).ok()?;
        authorities.iter().find_map(|issuer| crl.clone().verify(issuer).ok())
    };
    let crls: Vec<SignedCrl> = members.crls.iter().filter_map(signed).collect();
    let without = if members.strict { WithoutCrl::Refuse } else { WithoutCrl::Accept };
    let options = VerifyOptions::at(moment(members.now)).revocation(Revocation::by(&crls, without));
    let chain = members.chain.into_iter().map(|der| der.0);
    let svid = X509Svid::parse_chain(chain).map_err(|e| e.to_string())?;
    let verified = svid.verify_with(&bundles, options).map_err(|e| e.to_string())?;
    Ok(json!({ "id": verified.id().as_str() }))
}

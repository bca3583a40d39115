//! WIT-SVIDs: what is checked before they are signed, and how they go out.

use std::collections::HashMap;

use model::UnixTime;
use proto::spire::api::server::svid::v1 as wire;
use proto::spire::api::types;
use spiffe::key::{PublicKey, SigAlg};
use spiffe::wit::ConfirmationKey;
use tonic::{Code, Status};

use crate::api::convert::wire_id;
use crate::api::failure::{self, item_of, refuse, refuse_for};
use crate::authority::{IssuedWit, SignError};
use crate::authz::EntryGrant;

/// The key that a token is to be bound to. SPIRE words an unreadable one differently by method.
pub(super) fn confirmation(spki: &[u8], algorithm: &str, malformed: &str) -> Result<ConfirmationKey, Status> {
    let key = PublicKey::from_spki_der(spki).map_err(|e| refuse_for(Code::InvalidArgument, malformed, e))?;
    let unfit = |why: String| refuse_for(Code::InvalidArgument, "invalid signing algorithm or key type", why);
    let kind = key.curve().map_or("RSA", |curve| match curve {
        "P-256" => "ec-p256",
        "P-384" => "ec-p384",
        _ => "ec-p521",
    });
    let unsupported = || unfit(format!("unsupported signing algorithm for {kind} key: {algorithm}"));
    let alg = SigAlg::from_jws(algorithm).ok_or_else(unsupported)?;
    ConfirmationKey::new(key, alg).map_err(|_| unsupported())
}

/// One item of a batch, if it can be signed.
pub(super) fn checked(
    param: &wire::NewWitsvidParams,
    grants: &HashMap<String, EntryGrant>,
) -> Result<(EntryGrant, ConfirmationKey), Status> {
    if param.entry_id.is_empty() {
        return Err(refuse(Code::InvalidArgument, "missing entry ID"));
    }
    if param.public_key.is_empty() {
        return Err(refuse(Code::InvalidArgument, "missing public key"));
    }
    let grant = grants
        .get(&param.entry_id)
        .ok_or_else(|| refuse(Code::NotFound, "entry not found or not authorized"))?;
    Ok((grant.clone(), confirmation(&param.public_key, &param.signing_algorithm, "malformed public key")?))
}

/// The answer to one item. A success says so too, where SPIRE 1.16 leaves the status out.
pub(super) fn result(done: Result<IssuedWit, Status>) -> wire::batch_new_witsvid_response::Result {
    let (status, svid) = match done {
        Ok(svid) => (failure::ok(), Some(wire_wit(svid))),
        Err(status) => (item_of(&status), None),
    };
    wire::batch_new_witsvid_response::Result { status, svid }
}

/// The status of a WIT-SVID that was not signed.
pub(super) fn signing(error: SignError) -> Status {
    match error {
        SignError::Refused(refused) => refused.into(),
        SignError::WitDisabled => refuse(Code::Unimplemented, "WIT functionality is disabled"),
        error => refuse_for(Code::Internal, "failed to sign WIT-SVID", error),
    }
}

pub(super) fn wire_wit(svid: IssuedWit) -> types::Witsvid {
    types::Witsvid {
        id: Some(wire_id(&svid.id)),
        expires_at: UnixTime::of(svid.expires_at).0,
        issued_at: UnixTime::of(svid.issued_at).0,
        token: svid.token,
        hint: String::new(),
    }
}

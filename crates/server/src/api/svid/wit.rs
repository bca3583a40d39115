//! WIT-SVIDs: what is checked before they are signed, and how they go out.

use std::collections::HashMap;

use model::UnixTime;
use proto::spire::api::server::svid::v1 as wire;
use proto::spire::api::types;
use tonic::{Code, Status};

use crate::api::convert::wire_id;
use crate::api::failure::{self, item_of, refuse, refuse_for};
use crate::authority::{IssuedToken, SignError, WorkloadKey};
use crate::authz::EntryGrant;

/// One item of a batch, if it can be signed.
pub(super) fn checked(
    param: wire::NewWitsvidParams,
    grants: &HashMap<String, EntryGrant>,
) -> Result<(EntryGrant, WorkloadKey), Status> {
    if param.entry_id.is_empty() {
        return Err(refuse(Code::InvalidArgument, "missing entry ID"));
    }
    if param.public_key.is_empty() {
        return Err(refuse(Code::InvalidArgument, "missing public key"));
    }
    let grant = grants
        .get(&param.entry_id)
        .ok_or_else(|| refuse(Code::NotFound, "entry not found or not authorized"))?;
    Ok((grant.clone(), WorkloadKey { spki: param.public_key, algorithm: param.signing_algorithm }))
}

/// The answer to one item. A success says so too, where SPIRE 1.16 leaves the status out.
pub(super) fn result(done: Result<IssuedToken, Status>) -> wire::batch_new_witsvid_response::Result {
    let (status, svid) = match done {
        Ok(svid) => (failure::ok(), Some(wire_wit(svid))),
        Err(status) => (item_of(&status), None),
    };
    wire::batch_new_witsvid_response::Result { status, svid }
}

/// The status of a WIT-SVID that was not signed. SPIRE words an unreadable key differently by method.
pub(super) fn signing(error: SignError, bad_key: &str) -> Status {
    match error {
        SignError::MalformedKey(cause) => refuse_for(Code::InvalidArgument, bad_key, cause),
        SignError::Algorithm { .. } => {
            refuse_for(Code::InvalidArgument, "invalid signing algorithm or key type", error)
        }
        SignError::Refused(refused) => refused.into(),
        SignError::WitDisabled => refuse(Code::Unimplemented, "WIT functionality is disabled"),
        error => refuse_for(Code::Internal, "failed to sign WIT-SVID", error),
    }
}

pub(super) fn wire_wit(svid: IssuedToken) -> types::Witsvid {
    types::Witsvid {
        id: Some(wire_id(&svid.id)),
        expires_at: UnixTime::of(svid.expires_at).0,
        issued_at: UnixTime::of(svid.issued_at).0,
        token: svid.token,
        hint: String::new(),
    }
}

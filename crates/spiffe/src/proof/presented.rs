//! The WIT-SVID of a message (creds §5.1.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ProofError;
use super::http::{Channel, Fields};
use crate::{json, jws, wit};

/// The header field that carries a WIT-SVID.
pub const WIT_FIELD: &str = "Workload-Identity-Token";
pub(super) const AUTHORIZATION: &str = "Authorization";

/// The token in the header, of which there must be exactly one, in the form of a JWT and nothing around it.
pub(super) fn presented(fields: Fields<'_>) -> Result<&str, ProofError> {
    let token = fields.one(WIT_FIELD)?.ok_or(ProofError::NoWit)?;
    if !is_jwt(token) {
        return Err(ProofError::WitForm);
    }
    Ok(token)
}

/// Three parts of base64url that are not empty, and two dots.
pub(super) fn is_jwt(text: &str) -> bool {
    let of_base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let part = |part: &str| !part.is_empty() && part.bytes().all(of_base64url);
    text.split('.').count() == 3 && text.split('.').all(part)
}

/// Refuses a message over a channel that others can read, or with a WIT-SVID in `Authorization` (WIT-SVID §5, §7.3).
pub(super) fn refuse_misuse(fields: Fields<'_>, channel: Channel) -> Result<(), ProofError> {
    if channel == Channel::Cleartext {
        return Err(ProofError::Cleartext);
    }
    let mut credentials = fields.all(AUTHORIZATION).flat_map(|value| value.split([' ', ',']));
    match credentials.any(is_wit) {
        true => Err(ProofError::WitInAuthorization),
        false => Ok(()),
    }
}

/// Whether a token says of itself that it is a WIT-SVID.
fn is_wit(token: &str) -> bool {
    let Some(header) = token.split('.').next() else { return false };
    let header = URL_SAFE_NO_PAD.decode(header).ok().and_then(|header| json::object(&header).ok());
    header.is_some_and(|header| {
        jws::text(&header, "typ").is_some_and(|typ| typ.eq_ignore_ascii_case(wit::TYPE))
    })
}

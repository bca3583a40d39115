//! The digest of a body (RFC 9530).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sfv::{BareItem, Dictionary, ListEntry, Parser};

use super::component::combined;
use super::{CONTENT_DIGEST, MAX_FIELD, SignatureError};
use crate::proof::http::Fields;

/// The value of `Content-Digest` for a body.
pub(super) fn written(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(digest(&SHA256, body)))
}

/// Judges a body by its digest; there must be one if there is a body.
pub(super) fn judge(fields: Fields<'_>, body: &[u8]) -> Result<(), SignatureError> {
    let Some(value) = combined(fields, CONTENT_DIGEST) else {
        return if body.is_empty() { Ok(()) } else { Err(SignatureError::NoDigest) };
    };
    let malformed = SignatureError::Field(CONTENT_DIGEST);
    if value.len() > MAX_FIELD {
        return Err(malformed);
    }
    let digests: Dictionary = Parser::new(&value).parse().map_err(|_| malformed.clone())?;
    let mut known = 0;
    for (name, how) in [("sha-256", &SHA256), ("sha-512", &SHA512)] {
        let Some(entry) = digests.get(name) else { continue };
        let ListEntry::Item(item) = entry else { return Err(malformed) };
        let BareItem::ByteSequence(claimed) = &item.bare_item else { return Err(malformed) };
        verify_slices_are_equal(claimed, digest(how, body).as_ref())
            .map_err(|_| SignatureError::OtherBody)?;
        known += 1;
    }
    if known > 0 { Ok(()) } else { Err(SignatureError::NoDigest) }
}

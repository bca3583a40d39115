//! Hashes of tokens that a proof binds (wpt §2).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The base64url of the SHA-256 of a token as it was sent.
pub(super) fn hash_of(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes()))
}

/// Whether a claim is the hash of that token. The time it takes does not depend on where they differ.
pub(super) fn is_hash_of(claim: &str, token: &str) -> bool {
    verify_slices_are_equal(claim.as_bytes(), hash_of(token).as_bytes()).is_ok()
}

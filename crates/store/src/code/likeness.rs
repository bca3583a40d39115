//! Hashes that unique indexes are made of.

use aws_lc_rs::digest::{SHA256, digest};
use model::Entry;

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

/// Equal for two entries just when they are similar.
pub(crate) fn likeness(entry: &Entry) -> Hash {
    sha256(entry.likeness().as_bytes())
}

/// What is kept of a join token's value: it was drawn at random, so the hash tells nothing of it.
pub(crate) fn token_hash(value: &str) -> Hash {
    sha256(value.as_bytes())
}

fn sha256(bytes: &[u8]) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

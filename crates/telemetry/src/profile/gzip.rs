//! Profiles are packed by gzip (RFC 1952), as Go writes them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

/// The bytes, packed.
pub(super) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::fast());
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

//! What certificates, requests and revocation lists have in common: content, algorithm and signature (RFC 5280 §4.1.1).

use super::tlv::{BIT_STRING, SEQUENCE, read_a};

/// The three parts, where they lie.
pub(super) struct Signed<'a> {
    /// The content with its tag and length: the bytes that were signed.
    pub(super) whole: &'a [u8],
    /// The content without.
    pub(super) content: &'a [u8],
    /// The AlgorithmIdentifier.
    pub(super) algorithm: &'a [u8],
    /// The signature.
    pub(super) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// `None` if there is something else, or something after it.
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let outer = read_a(SEQUENCE, der).filter(|outer| outer.rest.is_empty())?;
        let content = read_a(SEQUENCE, outer.content)?;
        let algorithm = read_a(SEQUENCE, content.rest)?;
        let signature = read_a(BIT_STRING, algorithm.rest).filter(|bits| bits.rest.is_empty())?;
        Some(Self {
            whole: content.whole,
            content: content.content,
            algorithm: algorithm.whole,
            signature: signature.content.strip_prefix(&[0])?,
        })
    }
}

//! Certificate signing requests with any content (RFC 2986).

use super::certificate::common_name;
use super::der::{bits, oid, sequence, sequence_of, tlv};
use super::extension::uris;
use super::key::{Key, signature_algorithm};

/// A request for a key with these extensions, signed by another or by the same.
pub fn sign(key: &Key, extensions: &[Vec<u8>], signer: &Key) -> Vec<u8> {
    let attribute = sequence(&[&oid("1.2.840.113549.1.9.14"), &tlv(0x31, &[&sequence_of(extensions)])]);
    let attributes = if extensions.is_empty() { Vec::new() } else { attribute };
    let info = sequence(&[&[2, 1, 0], &common_name("request"), &key.spki(), &tlv(0xa0, &[&attributes])]);
    let scheme = signer.usual();
    sequence(&[&info, &signature_algorithm(scheme), &bits(&signer.sign(scheme, &info))])
}

/// A proper request for these URIs.
pub fn request(key: &Key, all: &[&str]) -> Vec<u8> {
    match all {
        [] => sign(key, &[], key),
        all => sign(key, &[uris(all)], key),
    }
}

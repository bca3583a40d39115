//! Extensions of certificates (RFC 5280 §4.2), each also with content that no standard allows.

use super::der::{bits, oid, sequence, sequence_of, tlv};

/// An extension of any kind.
pub fn extension(dotted: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    sequence(&[&oid(dotted), critical, &tlv(4, &[value])])
}

/// Bits of a key usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names are RFC 5280's
pub enum Usage {
    DigitalSignature = 0,
    ContentCommitment = 1,
    KeyEncipherment = 2,
    DataEncipherment = 3,
    KeyAgreement = 4,
    KeyCertSign = 5,
    CrlSign = 6,
}

/// A key usage.
pub fn key_usage(critical: bool, usages: &[Usage]) -> Vec<u8> {
    extension(
        "2.5.29.15",
        critical,
        &named_bits(&usages.iter().map(|usage| *usage as u8).collect::<Vec<_>>()),
    )
}

/// A BIT STRING of named bits: without zeros at its end.
pub fn named_bits(set: &[u8]) -> Vec<u8> {
    let Some(last) = set.iter().max() else { return tlv(3, &[&[0]]) };
    let mut bytes = vec![0_u8; usize::from(last / 8) + 1];
    for bit in set {
        if let Some(byte) = bytes.get_mut(usize::from(bit / 8)) {
            *byte |= 0x80 >> (bit % 8);
        }
    }
    tlv(3, &[&[7 - last % 8], &bytes])
}

/// Basic constraints; `ca` FALSE is left away, as DER wants.
pub fn constraints(critical: bool, ca: bool, path_length: Option<u8>) -> Vec<u8> {
    let length = path_length.map_or_else(Vec::new, |n| tlv(2, &[&[n]]));
    extension("2.5.29.19", critical, &sequence(&[if ca { &[1, 1, 0xff] } else { &[] }, &length]))
}

/// A name of one form (RFC 5280 §4.2.1.6).
#[derive(Debug, Clone)]
#[allow(missing_docs)] // the names are RFC 5280's
pub enum Name {
    Email(String),
    Dns(String),
    Directory(Vec<u8>),
    Uri(String),
    Ip(Vec<u8>),
    Registered(String),
    Other,
}

impl Name {
    /// As a GeneralName.
    pub fn der(&self) -> Vec<u8> {
        match self {
            Self::Other => {
                tlv(0xa0, &[&oid("1.3.6.1.4.1.311.20.2.3"), &tlv(0xa0, &[&tlv(0x0c, &[b"someone"])])])
            }
            Self::Email(text) => tlv(0x81, &[text.as_bytes()]),
            Self::Dns(text) => tlv(0x82, &[text.as_bytes()]),
            Self::Directory(name) => tlv(0xa4, &[name]),
            Self::Uri(text) => tlv(0x86, &[text.as_bytes()]),
            Self::Ip(bytes) => tlv(0x87, &[bytes]),
            Self::Registered(dotted) => {
                let mut der = oid(dotted);
                if let Some(tag) = der.first_mut() {
                    *tag = 0x88;
                }
                der
            }
        }
    }
}

/// A URI.
pub fn uri(text: &str) -> Name {
    Name::Uri(text.to_owned())
}

/// A DNS name.
pub fn dns(text: &str) -> Name {
    Name::Dns(text.to_owned())
}

/// A subject alternative name.
pub fn names(critical: bool, all: &[Name]) -> Vec<u8> {
    extension("2.5.29.17", critical, &sequence_of(&all.iter().map(Name::der).collect::<Vec<_>>()))
}

/// A subject alternative name of URIs.
pub fn uris(all: &[&str]) -> Vec<u8> {
    names(false, &all.iter().map(|text| uri(text)).collect::<Vec<_>>())
}

/// serverAuth.
pub const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
/// clientAuth.
pub const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
/// codeSigning.
pub const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";
/// anyExtendedKeyUsage.
pub const ANY_PURPOSE: &str = "2.5.29.37.0";

/// An extended key usage.
pub fn purposes(critical: bool, all: &[&str]) -> Vec<u8> {
    extension(
        "2.5.29.37",
        critical,
        &sequence_of(&all.iter().map(|purpose| oid(purpose)).collect::<Vec<_>>()),
    )
}

/// Name constraints: what is permitted, and what is excluded.
pub fn name_constraints(critical: bool, permitted: &[Name], excluded: &[Name]) -> Vec<u8> {
    let subtrees = |tag, all: &[Name]| match all {
        [] => Vec::new(),
        all => {
            let each: Vec<u8> = all.iter().flat_map(|name| sequence(&[&name.der()])).collect();
            tlv(tag, &[&each])
        }
    };
    extension("2.5.29.30", critical, &sequence(&[&subtrees(0xa0, permitted), &subtrees(0xa1, excluded)]))
}

/// The identifier of the subject's key.
pub fn subject_key_id(id: &[u8]) -> Vec<u8> {
    extension("2.5.29.14", false, &tlv(4, &[id]))
}

/// The identifier of the issuer's key.
pub fn authority_key_id(id: &[u8]) -> Vec<u8> {
    extension("2.5.29.35", false, &sequence(&[&tlv(0x80, &[id])]))
}

/// An extension that nobody knows.
pub fn unknown(critical: bool) -> Vec<u8> {
    extension("1.3.6.1.4.1.32473.1", critical, &bits(b"?"))
}

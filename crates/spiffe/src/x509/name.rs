//! Distinguished names, as SPIRE and Go write them.

use super::oid;
use super::tlv::{SEQUENCE, SET, tlv};

const PRINTABLE: u8 = 0x13;
const UTF8: u8 = 0x0c;

/// The subject of a signing certificate (SPIRE's `ca_subject`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaSubject {
    /// Countries, in order.
    pub country: Vec<String>,
    /// Organizations, in order.
    pub organization: Vec<String>,
    /// The common name; none if empty.
    pub common_name: String,
}

impl Default for CaSubject {
    /// `C=US, O=SPIFFE` (SPIRE 1.16).
    fn default() -> Self {
        Self { country: vec!["US".into()], organization: vec!["SPIFFE".into()], common_name: String::new() }
    }
}

/// A name from lists of values for each type, in Go's order: one RDN for each type, its values a set.
pub(super) fn name(
    country: &[&str],
    organization: &[&str],
    common_name: &str,
    serial_number: &str,
) -> Vec<u8> {
    let common_name: &[&str] = if common_name.is_empty() { &[] } else { &[common_name] };
    let serial_number: &[&str] = if serial_number.is_empty() { &[] } else { &[serial_number] };
    let types: [(&[u8], &[&str]); 4] = [
        (oid::COUNTRY, country),
        (oid::ORGANIZATION, organization),
        (oid::COMMON_NAME, common_name),
        (oid::SERIAL_NUMBER, serial_number),
    ];
    let mut rdns = Vec::new();
    for (oid, values) in types {
        let mut set: Vec<Vec<u8>> = values.iter().map(|value| tlv(SEQUENCE, &[oid, &text(value)])).collect();
        if !set.is_empty() {
            // A SET OF is sorted in DER.
            set.sort();
            rdns.push(tlv(SET, &set.iter().map(Vec::as_slice).collect::<Vec<_>>()));
        }
    }
    tlv(SEQUENCE, &rdns.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// PrintableString where its alphabet allows, as Go does; UTF8String otherwise. Peers compare names byte by byte.
fn text(value: &str) -> Vec<u8> {
    let printable = |b: u8| b.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&b);
    let tag = if value.bytes().all(printable) { PRINTABLE } else { UTF8 };
    tlv(tag, &[value.as_bytes()])
}

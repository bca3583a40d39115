//! DER by hand, for the paths where every microsecond counts: writing certificates, and finding the exact bytes that
//! were signed.

use std::time::SystemTime;

use der::Encode;
use x509_cert::time::Time;

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
/// The kinds of a GeneralName that are looked at (RFC 5280 §4.2.1.6).
pub(super) const DNS_NAME: u8 = 0x82;
pub(super) const URI_NAME: u8 = 0x86;
pub(super) const BOOLEAN_TRUE: &[u8] = &[0x01, 0x01, 0xff];

/// A value with its tag and length, its content given in parts.
pub(super) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    match length {
        0..=0x7f => out.push(length as u8),
        _ => {
            let bytes = length.to_be_bytes();
            let skip = bytes.iter().take_while(|b| **b == 0).count();
            out.push(0x80 | (bytes.len() - skip) as u8);
            out.extend(bytes.iter().skip(skip));
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// An extension (RFC 5280 §4.1): its OID as DER, whether it is critical, and its value's DER.
pub(super) fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let value = tlv(OCTET_STRING, &[value]);
    let critical: &[u8] = if critical { BOOLEAN_TRUE } else { &[] };
    tlv(SEQUENCE, &[oid, critical, &value])
}

/// A BIT STRING of whole bytes.
pub(super) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    tlv(BIT_STRING, &[&[0], bytes])
}

/// A moment as UTCTime until 2049 and GeneralizedTime after (RFC 5280 §4.1.2.5).
pub(super) fn time(at: SystemTime) -> Result<Vec<u8>, der::Error> {
    Time::try_from(at)?.to_der()
}

/// One element at the start of `bytes`: its tag, its content, the whole of it, and what follows.
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) whole: &'a [u8],
    pub(super) rest: &'a [u8],
}

/// Reads one element with a definite length in its shortest form; `None` where there is none.
pub(super) fn read(bytes: &[u8]) -> Option<Element<'_>> {
    let (tag, first) = (*bytes.first()?, *bytes.get(1)?);
    let (length, header) = match first {
        0..=0x7f => (usize::from(first), 2),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let digits = bytes.get(2..2 + count)?;
            let length = digits.iter().fold(0usize, |sum, digit| (sum << 8) | usize::from(*digit));
            let shortest = length > 0x7f && digits.first() != Some(&0);
            shortest.then_some((length, 2 + count))?
        }
        _ => return None,
    };
    let end = header.checked_add(length)?;
    Some(Element { tag, content: bytes.get(header..end)?, whole: bytes.get(..end)?, rest: bytes.get(end..)? })
}

/// Reads one element of this tag.
pub(super) fn read_a(tag: u8, bytes: &[u8]) -> Option<Element<'_>> {
    read(bytes).filter(|element| element.tag == tag)
}

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
    nested(&[tag], parts)
}

/// A value in others that hold nothing else, the outermost tag first: written at once.
pub(super) fn nested(tags: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let content: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(content + tags.len() * 6);
    for (depth, tag) in tags.iter().enumerate() {
        // What is around a value is longer by the heads of those inside.
        let inner = (depth + 1..tags.len()).fold(content, |length, _| length + head_length(length));
        out.push(*tag);
        push_length(&mut out, inner);
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// How long tag and length are before so many bytes.
fn head_length(content: usize) -> usize {
    match content {
        0..=0x7f => 2,
        _ => 2 + (usize::BITS - content.leading_zeros()).div_ceil(8) as usize,
    }
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    match length {
        0..=0x7f => out.push(length as u8),
        _ => {
            let bytes = length.to_be_bytes();
            let skip = bytes.iter().take_while(|b| **b == 0).count();
            out.push(0x80 | (bytes.len() - skip) as u8);
            out.extend_from_slice(bytes.get(skip..).unwrap_or_default());
        }
    }
}

/// An extension (RFC 5280 §4.1): its OID as DER, whether it is critical, and its value's DER.
pub(super) fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { BOOLEAN_TRUE } else { &[] };
    let mut octets = Vec::with_capacity(6);
    octets.push(OCTET_STRING);
    push_length(&mut octets, value.len());
    tlv(SEQUENCE, &[oid, critical, &octets, value])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_values_are_written_as_one_in_another() {
        for length in [0, 1, 125, 126, 127, 128, 250, 252, 253, 255, 256, 65_530, 65_535, 65_536] {
            let content = vec![7; length];
            let outer = tlv(0xa3, &[&tlv(SEQUENCE, &[&tlv(SET, &[&content])])]);
            assert_eq!(nested(&[0xa3, SEQUENCE, SET], &[&content]), outer, "{length}");
            assert_eq!(read(&outer).map(|all| all.rest.is_empty()), Some(true), "{length}");
            let value = extension(&[6, 1, 1], false, &content);
            assert_eq!(value, tlv(SEQUENCE, &[&[6, 1, 1], &tlv(OCTET_STRING, &[&content])]), "{length}");
        }
    }
}

//! The parts of a certificate, found by hand.

use std::time::SystemTime;

use super::certificate::{CertificateError, malformed};
use super::extensions::Extensions;
use super::moment::read_time;
use super::name;
use super::signed::Signed;
use super::span::Span;
use super::tlv::{Element, INTEGER, SEQUENCE, read, read_a};

/// Where the parts lie in the certificate (RFC 5280 §4.1). Of names and keys the very bytes matter, as they were signed.
pub(super) struct Layout {
    /// The bytes that were signed.
    pub(super) content: Span,
    pub(super) algorithm: Span,
    pub(super) signature: Span,
    pub(super) serial: Span,
    pub(super) issuer: Span,
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
    pub(super) subject: Span,
    pub(super) spki: Span,
    pub(super) extensions: Extensions,
}

impl Layout {
    pub(super) fn of(der: &[u8]) -> Result<Self, CertificateError> {
        let at = |part: &[u8]| Span::of(part, der);
        let signed = Signed::read(der)
            .ok_or_else(|| malformed("it is not a sequence of content, algorithm and signature"))?;
        let (version, serial, rest) = numbered(signed.content)
            .ok_or_else(|| malformed("its version or serial number is none, or negative"))?;
        let (inner, rest) = element(SEQUENCE, rest).ok_or_else(|| malformed("it names no algorithm"))?;
        if inner.whole != signed.algorithm {
            return Err(malformed("it names two algorithms"));
        }
        let (issuer, rest) = name(rest).ok_or_else(|| malformed("its issuer is no name"))?;
        let (validity, rest) = element(SEQUENCE, rest).ok_or_else(|| malformed("it has no period"))?;
        let (not_before, not_after) =
            period(validity.content).ok_or_else(|| malformed("its period is not of two moments"))?;
        let (subject, rest) = name(rest).ok_or_else(|| malformed("its subject is no name"))?;
        let (spki, rest) = element(SEQUENCE, rest).ok_or_else(|| malformed("it has no key"))?;
        let list = extension_list(rest).ok_or_else(|| malformed("something strange follows its key"))?;
        if !rest.is_empty() && version < 2 {
            return Err(malformed("it has extensions, and is not of version 3"));
        }
        Ok(Self {
            content: at(signed.whole),
            algorithm: at(signed.algorithm),
            signature: at(signed.signature),
            serial: at(serial),
            issuer: at(issuer),
            not_before,
            not_after,
            subject: at(subject),
            spki: at(spki.whole),
            extensions: Extensions::of(list, der)?,
        })
    }
}

fn element(tag: u8, bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let element = read_a(tag, bytes)?;
    let rest = element.rest;
    Some((element, rest))
}

/// The version (2 for version 3) and the serial number: 1 to 20 bytes that are positive or zero in their shortest form,
/// and the sign.
fn numbered(tbs: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (version, after) = match element(0xa0, tbs) {
        None => (0, tbs), // version 1 is not written
        Some((version, rest)) => match version.content {
            [INTEGER, 1, number @ 0..=2] => (*number, rest),
            _ => return None,
        },
    };
    let (serial, rest) = element(INTEGER, after)?;
    let serial = positive(serial.content)?;
    Some((version, serial, rest))
}

/// An INTEGER's content, if it is a serial number.
pub(super) fn positive(digits: &[u8]) -> Option<&[u8]> {
    let positive = match digits {
        [0] => true,
        [0, next, ..] => next & 0x80 != 0,
        [first, ..] => first & 0x80 == 0,
        [] => false,
    };
    (positive && digits.len() <= 21).then_some(digits)
}

/// A Name with its tag and length, and what follows it.
pub(super) fn name(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = element(SEQUENCE, bytes)?;
    name::well_formed(name.whole).then_some((name.whole, rest))
}

fn period(content: &[u8]) -> Option<(SystemTime, SystemTime)> {
    let from = read(content)?;
    let until = read(from.rest).filter(|until| until.rest.is_empty())?;
    Some((read_time(&from)?, read_time(&until)?))
}

/// The content of the list of extensions, after the unique identifiers that nobody writes.
fn extension_list(mut rest: &[u8]) -> Option<&[u8]> {
    for unique in [0x81, 0x82] {
        rest = element(unique, rest).map_or(rest, |(_, rest)| rest);
    }
    if rest.is_empty() {
        return Some(rest);
    }
    let (explicit, rest) = element(0xa3, rest)?;
    let list = read_a(SEQUENCE, explicit.content)?;
    (rest.is_empty() && list.rest.is_empty()).then_some(list.content)
}

//! The parts of a certificate, found by hand.

use std::time::SystemTime;

use super::certificate::{CertificateError, malformed};
use super::moment::read_time;
use super::name::DistinguishedName;
use super::tlv::{BIT_STRING, Element, INTEGER, SEQUENCE, read, read_a};

/// The parts, where they lie in the certificate (RFC 5280 §4.1). Read by hand: of names and keys the very bytes
/// matter, as they were signed.
pub(super) struct Raw<'a> {
    pub(super) serial: &'a [u8],
    pub(super) issuer: &'a [u8],
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
    pub(super) subject: &'a [u8],
    pub(super) spki: &'a [u8],
    /// The content of the list; empty if there is none.
    pub(super) extensions: &'a [u8],
}

impl<'a> Raw<'a> {
    pub(super) fn of(der: &'a [u8]) -> Result<Self, CertificateError> {
        let (tbs, algorithm) = signed_parts(der)
            .ok_or_else(|| malformed("it is not a sequence of content, algorithm and signature"))?;
        let (serial, rest) =
            numbered(tbs).ok_or_else(|| malformed("its version or serial number is none, or negative"))?;
        let (inner, rest) = element(SEQUENCE, rest).ok_or_else(|| malformed("it names no algorithm"))?;
        if inner.whole != algorithm {
            return Err(malformed("it names two algorithms"));
        }
        let (issuer, rest) = name(rest).ok_or_else(|| malformed("its issuer is no name"))?;
        let (validity, rest) = element(SEQUENCE, rest).ok_or_else(|| malformed("it has no period"))?;
        let (not_before, not_after) =
            period(validity.content).ok_or_else(|| malformed("its period is not of two moments"))?;
        let (subject, rest) = name(rest).ok_or_else(|| malformed("its subject is no name"))?;
        let (spki, rest) = element(SEQUENCE, rest).ok_or_else(|| malformed("it has no key"))?;
        let extensions =
            extension_list(rest).ok_or_else(|| malformed("something strange follows its key"))?;
        let spki = spki.whole;
        Ok(Self { serial, issuer, not_before, not_after, subject, spki, extensions })
    }
}

fn element(tag: u8, bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let element = read_a(tag, bytes)?;
    let rest = element.rest;
    Some((element, rest))
}

/// The content that was signed, and the algorithm.
fn signed_parts(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let whole = read_a(SEQUENCE, der).filter(|whole| whole.rest.is_empty())?;
    let (tbs, rest) = element(SEQUENCE, whole.content)?;
    let (algorithm, rest) = element(SEQUENCE, rest)?;
    let (signature, rest) = element(BIT_STRING, rest)?;
    (rest.is_empty() && signature.content.first() == Some(&0)).then_some((tbs.content, algorithm.whole))
}

/// The serial number, after the version: 1 to 20 bytes that are positive or zero in their shortest form, and the sign.
fn numbered(tbs: &[u8]) -> Option<(&[u8], &[u8])> {
    let after = match element(0xa0, tbs) {
        None => tbs, // version 1 is not written
        Some((version, rest)) => matches!(version.content, [INTEGER, 1, 0..=2]).then_some(rest)?,
    };
    let (serial, rest) = element(INTEGER, after)?;
    let positive = match serial.content {
        [0] => true,
        [0, next, ..] => next & 0x80 != 0,
        [first, ..] => first & 0x80 == 0,
        [] => false,
    };
    (positive && serial.content.len() <= 21).then_some((serial.content, rest))
}

fn name(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = element(SEQUENCE, bytes)?;
    DistinguishedName::parse(name.whole)?;
    Some((name.whole, rest))
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

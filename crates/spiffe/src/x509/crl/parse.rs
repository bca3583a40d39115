//! The parts of a revocation list (RFC 5280 §5.1).

use super::{CrlError, Entry, Layout, Reason};
use crate::x509::extensions::Extension;
use crate::x509::layout::{name, positive};
use crate::x509::moment::{is_time, read_time};
use crate::x509::oid;
use crate::x509::path::dotted;
use crate::x509::signed::Signed;
use crate::x509::span::Span;
use crate::x509::tlv::{INTEGER, SEQUENCE, read, read_a};

const ENUMERATED: u8 = 0x0a;

/// The most extensions of a list or of an entry.
const MAX_EXTENSIONS: usize = 32;

pub(super) fn parts(der: &[u8]) -> Result<(Layout, Vec<Entry>), CrlError> {
    let malformed = CrlError::Malformed;
    let at = |part: &[u8]| Span::of(part, der);
    let signed =
        Signed::read(der).ok_or(malformed("it is not a sequence of content, algorithm and signature"))?;
    let version = read_a(INTEGER, signed.content).filter(|version| version.content == [1]);
    let version = version.ok_or(malformed("it is not of version 2"))?;
    let inner = read_a(SEQUENCE, version.rest).ok_or(malformed("it names no algorithm"))?;
    if inner.whole != signed.algorithm {
        return Err(malformed("it names two algorithms"));
    }
    let (issuer, rest) = name(inner.rest).ok_or(malformed("its issuer is no name"))?;
    let this = read(rest).ok_or(malformed("it does not say when it was made"))?;
    let this_update = read_time(&this).ok_or(malformed("it does not say when it was made"))?;
    let next = read(this.rest).filter(|next| is_time(next)).ok_or(CrlError::NoNextUpdate)?;
    let next_update = read_time(&next).ok_or(malformed("its next update is no moment"))?;
    let (list, rest) =
        read_a(SEQUENCE, next.rest).map_or((&[][..], next.rest), |list| (list.content, list.rest));
    let entries = entries(list, der)?;
    let mut layout = Layout {
        content: at(signed.whole),
        algorithm: at(signed.algorithm),
        signature: at(signed.signature),
        issuer: at(issuer),
        this_update,
        next_update,
        number: None,
        authority_key_id: None,
    };
    if !rest.is_empty() {
        let explicit = read_a(0xa0, rest).filter(|all| all.rest.is_empty());
        let all = explicit.and_then(|all| read_a(SEQUENCE, all.content)).filter(|all| all.rest.is_empty());
        let all = all.ok_or(malformed("something strange follows its entries"))?;
        each(all.content, |one| layout.take(one, der))?;
    }
    Ok((layout, entries))
}

impl Layout {
    fn take(&mut self, one: &Extension<'_>, der: &[u8]) -> Result<(), CrlError> {
        match one.kind {
            oid::CRL_NUMBER => {
                let number = read_a(INTEGER, one.value).filter(|number| number.rest.is_empty());
                let number = number.and_then(|number| positive(number.content));
                let number = number.ok_or(CrlError::Malformed("its number is none, or negative"))?;
                self.number = Some(Span::of(number, der));
            }
            oid::AUTHORITY_KEY_ID => {
                let all = read_a(SEQUENCE, one.value).filter(|all| all.rest.is_empty());
                let all = all.ok_or(CrlError::Malformed("its authority key identifier is no SEQUENCE"))?;
                self.authority_key_id = read_a(0x80, all.content).map(|id| Span::of(id.content, der));
            }
            oid::DELTA_CRL => return Err(CrlError::Delta),
            oid::ISSUING_DISTRIBUTION_POINT => return Err(CrlError::Partial),
            other if one.critical => return Err(CrlError::UnknownCritical(dotted(other))),
            _ => {}
        }
        Ok(())
    }
}

fn entries(mut list: &[u8], der: &[u8]) -> Result<Vec<Entry>, CrlError> {
    let malformed = CrlError::Malformed;
    let mut all = Vec::new();
    while !list.is_empty() {
        let one = read_a(SEQUENCE, list).ok_or(malformed("its entries are no list"))?;
        list = one.rest;
        let serial = read_a(INTEGER, one.content).ok_or(malformed("an entry has no serial number"))?;
        let digits = positive(serial.content).ok_or(malformed("a serial number is negative or too long"))?;
        let date = read(serial.rest).ok_or(malformed("an entry has no moment"))?;
        let at = read_time(&date).ok_or(malformed("an entry has no moment"))?;
        let mut entry = Entry { serial: Span::of(digits, der), at, reason: None };
        if !date.rest.is_empty() {
            let extensions = read_a(SEQUENCE, date.rest).filter(|list| list.rest.is_empty());
            let extensions = extensions.ok_or(malformed("something strange follows an entry's moment"))?;
            each(extensions.content, |one| entry.take(one))?;
        }
        all.push(entry);
    }
    Ok(all)
}

impl Entry {
    fn take(&mut self, one: &Extension<'_>) -> Result<(), CrlError> {
        match one.kind {
            oid::REASON_CODE => {
                let code = read_a(ENUMERATED, one.value).filter(|code| code.rest.is_empty());
                let reason = match code.map(|code| code.content) {
                    Some([number]) => Reason::of(*number),
                    _ => None,
                };
                // Among the unknown is removeFromCRL, which stands in deltas only.
                self.reason = Some(reason.ok_or(CrlError::Malformed("an entry's reason is none"))?);
            }
            oid::CERTIFICATE_ISSUER => return Err(CrlError::Partial),
            other if one.critical => return Err(CrlError::UnknownCritical(dotted(other))),
            _ => {}
        }
        Ok(())
    }
}

/// Goes through a list of extensions, in which none occurs twice.
fn each(
    mut list: &[u8],
    mut take: impl FnMut(&Extension<'_>) -> Result<(), CrlError>,
) -> Result<(), CrlError> {
    let mut seen = [&[][..]; MAX_EXTENSIONS];
    let mut count = 0;
    while !list.is_empty() {
        let one = read_a(SEQUENCE, list).ok_or(CrlError::Malformed("its extensions are no list"))?;
        list = one.rest;
        let one = Extension::read(one.content).ok_or(CrlError::Malformed("an extension has no value"))?;
        if seen.iter().take(count).any(|kind| *kind == one.kind) {
            return Err(CrlError::Malformed("an extension occurs twice"));
        }
        *seen.get_mut(count).ok_or(CrlError::Malformed("it has more than 32 extensions"))? = one.kind;
        count += 1;
        take(&one)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::tlv::{OCTET_STRING, extension, tlv};

    #[test]
    fn an_extension_that_occurs_twice_or_too_often_is_refused() {
        let one = extension(oid::CRL_NUMBER, false, &[2, 1, 1]);
        assert_eq!(each(&one, |_| Ok(())), Ok(()));
        assert!(each(&[one.clone(), one].concat(), |_| Ok(())).is_err());
        let many: Vec<u8> = (0..33u8).flat_map(|n| extension(&[6, 1, n], false, &[5, 0])).collect();
        assert!(each(&many, |_| Ok(())).is_err());
        assert!(each(&tlv(OCTET_STRING, &[]), |_| Ok(())).is_err());
    }
}

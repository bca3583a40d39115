//! The extensions of a certificate (RFC 5280 §4.2): what is read of them, and which of them nobody here understands.

use super::certificate::{CertificateError, malformed};
use super::general_name::GeneralName;
use super::oid;
use super::span::Span;
use super::subtrees::Subtrees;
use super::tlv::{BOOLEAN, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, URI_NAME, read_a};
use super::usage::{KeyUsage, Sides};

/// The most extensions of a certificate.
const MAX_EXTENSIONS: usize = 64;

/// What is looked at; spans are of the certificate.
#[derive(Default)]
pub(super) struct Extensions {
    pub(super) subject_key_id: Option<Span>,
    pub(super) authority_key_id: Option<Span>,
    pub(super) is_ca: bool,
    /// How many intermediates may follow.
    pub(super) path_len: Option<u32>,
    pub(super) usage: Option<KeyUsage>,
    pub(super) sides: Option<Sides>,
    /// The list of alternative names.
    pub(super) names: Option<Span>,
    pub(super) uris: u32,
    /// The first of them.
    pub(super) uri: Span,
    pub(super) constraints: Option<Span>,
    /// Whether it wants an explicit policy below, sooner or later.
    pub(super) wants_policy: bool,
    /// The OID of a critical extension that is none of these.
    pub(super) unknown: Option<Span>,
}

impl Extensions {
    /// From the content of the list of extensions, a part of `der`.
    pub(super) fn of(mut list: &[u8], der: &[u8]) -> Result<Self, CertificateError> {
        let mut out = Self::default();
        let mut seen = [&[][..]; MAX_EXTENSIONS];
        let mut count = 0;
        while !list.is_empty() {
            let one = read_a(SEQUENCE, list).ok_or_else(|| malformed("its extensions are no list"))?;
            list = one.rest;
            let one = Extension::read(one.content).ok_or_else(|| malformed("an extension has no value"))?;
            if seen.iter().take(count).any(|kind| *kind == one.kind) {
                return Err(malformed("an extension occurs twice"));
            }
            *seen.get_mut(count).ok_or_else(|| malformed("it has more than 64 extensions"))? = one.kind;
            count += 1;
            out.take(&one, der)?;
        }
        Ok(out)
    }

    fn take(&mut self, one: &Extension<'_>, der: &[u8]) -> Result<(), CertificateError> {
        let value = one.value;
        match one.kind {
            oid::SUBJECT_ALT_NAME => {
                self.take_names(value, der).ok_or_else(|| malformed("its names are no list of names"))?;
            }
            oid::BASIC_CONSTRAINTS => {
                self.take_basic(value).ok_or_else(|| malformed("its basic constraints cannot be read"))?;
            }
            oid::KEY_USAGE => {
                let usage =
                    KeyUsage::parse(value).ok_or_else(|| malformed("its key usage is no set of bits"))?;
                self.usage = Some(usage);
            }
            oid::EXT_KEY_USAGE => {
                let sides =
                    Sides::parse(value).ok_or_else(|| malformed("its purposes are no list of OIDs"))?;
                self.sides = Some(sides);
            }
            oid::SUBJECT_KEY_ID => {
                let id = read_a(OCTET_STRING, value).filter(|id| id.rest.is_empty());
                let id = id.ok_or_else(|| malformed("its subject key identifier is no OCTET STRING"))?;
                self.subject_key_id = Some(Span::of(id.content, der));
            }
            oid::AUTHORITY_KEY_ID => {
                let all = read_a(SEQUENCE, value).filter(|all| all.rest.is_empty());
                let all = all.ok_or_else(|| malformed("its authority key identifier is no SEQUENCE"))?;
                self.authority_key_id = read_a(0x80, all.content).map(|id| Span::of(id.content, der));
            }
            oid::NAME_CONSTRAINTS => {
                Subtrees::parse(value).ok_or_else(|| malformed("its name constraints cannot be read"))?;
                self.constraints = Some(Span::of(value, der));
            }
            oid::POLICY_CONSTRAINTS => {
                let all = read_a(SEQUENCE, value).filter(|all| all.rest.is_empty());
                let all = all.ok_or_else(|| malformed("its policy constraints are no SEQUENCE"))?;
                self.wants_policy = read_a(0x80, all.content).is_some();
            }
            // Where every policy is welcome and none is asked for, these change nothing (RFC 5280 §6.1).
            oid::CERTIFICATE_POLICIES | oid::POLICY_MAPPINGS | oid::INHIBIT_ANY_POLICY => {}
            kind if one.critical && self.unknown.is_none() => self.unknown = Some(Span::of(kind, der)),
            _ => {}
        }
        Ok(())
    }

    fn take_basic(&mut self, value: &[u8]) -> Option<()> {
        let all = read_a(SEQUENCE, value).filter(|all| all.rest.is_empty())?.content;
        let flag = read_a(BOOLEAN, all);
        let rest = flag.as_ref().map_or(all, |flag| flag.rest);
        self.is_ca = match flag.as_ref().map_or(&[0][..], |flag| flag.content) {
            [0] => false,
            [0xff] => true,
            _ => return None,
        };
        if rest.is_empty() {
            return Some(());
        }
        let length = read_a(INTEGER, rest).filter(|length| length.rest.is_empty())?;
        self.path_len = Some(small(length.content)?);
        Some(())
    }

    fn take_names(&mut self, value: &[u8], der: &[u8]) -> Option<()> {
        let list = read_a(SEQUENCE, value).filter(|names| names.rest.is_empty())?.content;
        self.names = Some(Span::of(list, der));
        let mut rest = list;
        while !rest.is_empty() {
            let (name, after) = GeneralName::read(rest)?;
            rest = after;
            if name.kind == URI_NAME {
                if self.uris == 0 {
                    self.uri = Span::of(name.content, der);
                }
                self.uris += 1;
            }
        }
        Some(())
    }
}

/// A number that is not negative; the largest there is if it is larger.
fn small(digits: &[u8]) -> Option<u32> {
    match digits {
        [] | [0x80..=0xff, ..] => None,
        [0, next, ..] if *next < 0x80 => None,
        _ => Some(
            digits
                .iter()
                .try_fold(0u32, |sum, digit| sum.checked_mul(256)?.checked_add(u32::from(*digit)))
                .unwrap_or(u32::MAX),
        ),
    }
}

/// One extension.
pub(super) struct Extension<'a> {
    /// Its OID with tag and length.
    pub(super) kind: &'a [u8],
    pub(super) critical: bool,
    pub(super) value: &'a [u8],
}

impl<'a> Extension<'a> {
    /// From the content of its SEQUENCE.
    pub(super) fn read(content: &'a [u8]) -> Option<Self> {
        let kind = read_a(OBJECT_IDENTIFIER, content)?;
        let flag = read_a(BOOLEAN, kind.rest);
        let critical = match flag.as_ref().map(|flag| flag.content) {
            None | Some([0]) => false,
            Some([0xff]) => true,
            Some(_) => return None,
        };
        let value = read_a(OCTET_STRING, flag.map_or(kind.rest, |flag| flag.rest))?;
        value.rest.is_empty().then_some(Self { kind: kind.whole, critical, value: value.content })
    }
}

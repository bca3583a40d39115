//! Names of the kinds that an alternative name can have (RFC 5280 §4.2.1.6).

use super::tlv::{DNS_NAME, URI_NAME, read};

pub(super) const OTHER_NAME: u8 = 0xa0;
pub(super) const RFC822_NAME: u8 = 0x81;
pub(super) const X400_ADDRESS: u8 = 0xa3;
pub(super) const DIRECTORY_NAME: u8 = 0xa4;
pub(super) const EDI_PARTY_NAME: u8 = 0xa5;
pub(super) const IP_ADDRESS: u8 = 0x87;
pub(super) const REGISTERED_ID: u8 = 0x88;

/// One name, its kind the tag that it has in DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GeneralName<'a> {
    pub(super) kind: u8,
    pub(super) content: &'a [u8],
}

impl<'a> GeneralName<'a> {
    /// The first name of `list`, and what follows it. `None` if it is of no kind that there is, or if a text is not
    /// ASCII.
    pub(super) fn read(list: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let element = read(list)?;
        let known = match element.tag {
            RFC822_NAME | DNS_NAME | URI_NAME => element.content.is_ascii(),
            OTHER_NAME | X400_ADDRESS | DIRECTORY_NAME | EDI_PARTY_NAME | IP_ADDRESS | REGISTERED_ID => true,
            _ => false,
        };
        known.then_some((Self { kind: element.tag, content: element.content }, element.rest))
    }

    /// Its text, if it is of a kind that has one.
    pub(super) fn text(&self) -> &'a str {
        std::str::from_utf8(self.content).unwrap_or_default()
    }
}

/// The names of a list that was read before.
#[derive(Clone, Default)]
pub(super) struct GeneralNames<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for GeneralNames<'a> {
    type Item = GeneralName<'a>;

    fn next(&mut self) -> Option<GeneralName<'a>> {
        let (name, rest) = GeneralName::read(self.0)?;
        self.0 = rest;
        Some(name)
    }
}

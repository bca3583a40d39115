//! What a certificate's key may be used for (RFC 5280 §4.2.1.3, §4.2.1.12).

use super::oid;
use super::tlv::{BIT_STRING, OBJECT_IDENTIFIER, SEQUENCE, read_a};

/// The bits of a key usage, the first the most significant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyUsage(u16);

impl KeyUsage {
    pub(super) const KEY_CERT_SIGN: u16 = 0x0400;
    pub(super) const CRL_SIGN: u16 = 0x0200;

    /// From the extension's value. Bits that have no meaning are passed over, those after the last one must be zero.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let bits = read_a(BIT_STRING, value).filter(|bits| bits.rest.is_empty())?.content;
        let (unused, bytes) = bits.split_first()?;
        let last = bytes.last().copied().unwrap_or(0);
        let padding = 1u8.checked_shl(u32::from(*unused))?.wrapping_sub(1);
        if last & padding != 0 || (bytes.is_empty() && *unused != 0) {
            return None;
        }
        let byte = |index: usize| u16::from(bytes.get(index).copied().unwrap_or(0));
        Some(Self(byte(0) << 8 | byte(1)))
    }

    pub(super) fn has(self, bit: u16) -> bool {
        self.0 & bit != 0
    }
}

/// The sides of TLS for which a certificate may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sides {
    pub(super) server: bool,
    pub(super) client: bool,
}

impl Sides {
    pub(super) const BOTH: Self = Self { server: true, client: true };

    /// From the value of an extended key usage, which has at least one purpose.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let mut sides = Self { server: false, client: false };
        let mut list = read_a(SEQUENCE, value).filter(|list| list.rest.is_empty())?.content;
        if list.is_empty() {
            return None;
        }
        while !list.is_empty() {
            let purpose = read_a(OBJECT_IDENTIFIER, list)?;
            list = purpose.rest;
            let any = purpose.whole == oid::ANY_PURPOSE;
            sides.server |= any || purpose.whole == oid::SERVER_AUTH;
            sides.client |= any || purpose.whole == oid::CLIENT_AUTH;
        }
        Some(sides)
    }

    /// Those of both.
    pub(super) fn and(self, other: Self) -> Self {
        Self { server: self.server && other.server, client: self.client && other.client }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_usages_are_read_bit_by_bit() {
        let usage = KeyUsage::parse(&[3, 2, 1, 0x06]).unwrap();
        assert!(usage.has(KeyUsage::KEY_CERT_SIGN) && usage.has(KeyUsage::CRL_SIGN));
        assert!(!usage.has(0x8000));
        assert!(KeyUsage::parse(&[3, 3, 7, 0x80, 0x80]).unwrap().has(0x8000));
        assert!(!KeyUsage::parse(&[3, 1, 0]).unwrap().has(0xffff));
        for bad in [&[3, 0][..], &[3, 1, 1], &[3, 2, 8, 0], &[3, 2, 2, 0x06], &[3, 2, 1, 6, 0], &[4, 2, 1, 6]]
        {
            assert_eq!(KeyUsage::parse(bad), None, "{bad:?}");
        }
    }
}

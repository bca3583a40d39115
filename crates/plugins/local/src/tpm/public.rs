//! The public half of an object (TPMT_PUBLIC).

use aws_lc_rs::digest::{SHA256, digest};

use super::ids::{alg, attribute, curve};
use super::signature::without_zeros;
use super::wire::{Put, Reader, WrongLength};

/// The largest modulus that is read, in bytes.
const MAX_MODULUS: usize = 512;

/// Why bytes are no public half that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicFault {
    /// It is too short or too long.
    #[error("its length is wrong")]
    Length,
    /// Neither RSA nor ECC.
    #[error("unsupported type in TPMT_PUBLIC: 0x{0:x}")]
    Type(u16),
    /// Its name is made with a hash that is not used here.
    #[error("its name is made with algorithm 0x{0:x}; SHA-256 (0xb) is supported")]
    NameHash(u16),
    /// A curve that is not known.
    #[error("unsupported curve 0x{0:x}")]
    Curve(u16),
    /// More than 4096 bits.
    #[error("its modulus is too large")]
    TooLarge,
}

impl From<WrongLength> for PublicFault {
    fn from(_: WrongLength) -> Self {
        Self::Length
    }
}

/// How a key signs, if that is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scheme {
    pub(crate) algorithm: u16,
    pub(crate) hash: u16,
}

/// The key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unique {
    Rsa { exponent: u32, modulus: Vec<u8> },
    Ecc { curve: u16, x: Vec<u8>, y: Vec<u8> },
}

/// A public half as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Public {
    raw: Vec<u8>,
    pub(crate) attributes: u32,
    /// The length in bits of the key that protects what is below it, if anything is.
    pub(crate) symmetric_bits: Option<u16>,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) unique: Unique,
}

impl Public {
    pub(crate) fn parse(raw: &[u8]) -> Result<Self, PublicFault> {
        let mut reader = Reader::new(raw);
        let (kind, name_hash, attributes) = (reader.u16()?, reader.u16()?, reader.u32()?);
        if name_hash != alg::SHA256 {
            return Err(PublicFault::NameHash(name_hash));
        }
        let _policy = reader.buffer()?;
        if kind != alg::RSA && kind != alg::ECC {
            return Err(PublicFault::Type(kind));
        }
        let symmetric_bits = symmetric(&mut reader)?;
        let scheme = scheme(&mut reader)?;
        let unique = match kind {
            alg::RSA => rsa(&mut reader)?,
            _ => ecc(&mut reader)?,
        };
        reader.end()?;
        Ok(Self { raw: raw.to_vec(), attributes, symmetric_bits, scheme, unique })
    }

    /// A file of it, where it may also stand after its length, as tpm2-tools write it. What is one as it stands is that one,
    /// though its first two bytes may look like a length.
    pub(crate) fn parse_file(file: &[u8]) -> Result<Self, PublicFault> {
        Self::parse(file).or_else(|_| Self::parse(without_length(file)))
    }

    /// As it was read.
    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The name by which a TPM knows it: what hash, and the hash.
    pub(crate) fn name(&self) -> Vec<u8> {
        let mut name = alg::SHA256.to_be_bytes().to_vec();
        name.extend_from_slice(digest(&SHA256, &self.raw).as_ref());
        name
    }

    /// Whether it has all of these attributes.
    pub(crate) fn has(&self, attributes: u32) -> bool {
        self.attributes & attributes == attributes
    }

    /// Whether it signs what its TPM says, and nothing that somebody else wrote: what an attestation key is.
    pub(crate) fn attests(&self) -> bool {
        self.has(attribute::SIGN | attribute::RESTRICTED | attribute::FIXED_TPM | attribute::FIXED_PARENT)
            && !self.has(attribute::DECRYPT)
    }
}

/// What stands behind a length that is exactly its own, or all.
pub(crate) fn without_length(file: &[u8]) -> &[u8] {
    let mut reader = Reader::new(file);
    match reader.buffer() {
        Ok(inner) if reader.rest().is_empty() => inner,
        _ => file,
    }
}

fn symmetric(reader: &mut Reader<'_>) -> Result<Option<u16>, PublicFault> {
    if reader.u16()? == alg::NULL {
        return Ok(None);
    }
    let (bits, _mode) = (reader.u16()?, reader.u16()?);
    Ok(Some(bits))
}

fn scheme(reader: &mut Reader<'_>) -> Result<Option<Scheme>, PublicFault> {
    let algorithm = reader.u16()?;
    if algorithm == alg::NULL {
        return Ok(None);
    }
    let hash = reader.u16()?;
    if algorithm == alg::ECDAA {
        let _count = reader.u16()?;
    }
    Ok(Some(Scheme { algorithm, hash }))
}

fn rsa(reader: &mut Reader<'_>) -> Result<Unique, PublicFault> {
    let (_bits, exponent) = (reader.u16()?, reader.u32()?);
    let modulus = reader.buffer()?;
    if modulus.len() > MAX_MODULUS {
        return Err(PublicFault::TooLarge);
    }
    let exponent = if exponent == 0 { 65_537 } else { exponent };
    Ok(Unique::Rsa { exponent, modulus: modulus.to_vec() })
}

fn ecc(reader: &mut Reader<'_>) -> Result<Unique, PublicFault> {
    let curve = reader.u16()?;
    // a key derivation, which signing keys do not have
    if reader.u16()? != alg::NULL {
        let _hash = reader.u16()?;
    }
    let (x, y) = (reader.buffer()?, reader.buffer()?);
    let width = coordinate(curve).ok_or(PublicFault::Curve(curve))?;
    if x.len() > width || y.len() > width {
        return Err(PublicFault::Length);
    }
    Ok(Unique::Ecc { curve, x: x.to_vec(), y: y.to_vec() })
}

/// The length of a coordinate on a curve.
pub(crate) fn coordinate(curve: u16) -> Option<usize> {
    match curve {
        curve::P256 => Some(32),
        curve::P384 => Some(48),
        curve::P521 => Some(66),
        _ => None,
    }
}

/// An uncompressed point. A TPM may leave out zeros in front.
pub(crate) fn point_of(curve: u16, x: &[u8], y: &[u8]) -> Option<Vec<u8>> {
    let width = coordinate(curve)?;
    let mut point = vec![4];
    for number in [x, y] {
        let digits = without_zeros(number);
        point.resize(point.len() + width.checked_sub(digits.len())?, 0);
        point.extend_from_slice(digits);
    }
    Some(point)
}

/// What a new object is to be.
pub(crate) struct Template {
    pub(crate) attributes: u32,
    pub(crate) policy: &'static [u8],
    /// AES-128-CFB for what is below it.
    pub(crate) parent: bool,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) kind: Kind,
}

/// What key it is to have, and what stands where the key will be.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Rsa { bits: u16, zeros: usize },
    Ecc { curve: u16 },
}

impl Template {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut to = Vec::new();
        to.put_u16(match self.kind {
            Kind::Rsa { .. } => alg::RSA,
            Kind::Ecc { .. } => alg::ECC,
        });
        to.put_u16(alg::SHA256);
        to.put_u32(self.attributes);
        to.put_buffer(self.policy);
        if self.parent {
            [alg::AES, 128, alg::CFB].into_iter().for_each(|value| to.put_u16(value));
        } else {
            to.put_u16(alg::NULL);
        }
        match self.scheme {
            Some(Scheme { algorithm, hash }) => {
                [algorithm, hash].into_iter().for_each(|value| to.put_u16(value))
            }
            None => to.put_u16(alg::NULL),
        }
        match self.kind {
            Kind::Rsa { bits, zeros } => {
                to.put_u16(bits);
                to.put_u32(0);
                to.put_buffer(&vec![0; zeros]);
            }
            Kind::Ecc { curve } => {
                to.put_u16(curve);
                to.put_u16(alg::NULL);
                to.put_buffer(&[]);
                to.put_buffer(&[]);
            }
        }
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_area_whose_first_bytes_look_like_its_length_is_read_as_it_stands() {
        // Thirty-seven bytes that begin with 0x0023, which is the type (ECC) and the length of the rest as well.
        let mut area = vec![0, 0x23, 0, 0x0b, 0, 0x14, 0, 0x72, 0, 0, 0, 0x10, 0, 0x18, 0, 0x0b, 0, 3, 0, 0];
        area.extend([0, 0, 0, 0, 0, 0x0b]);
        area.extend([0xff; 11]);
        let read = Public::parse(&area);
        assert!(read.is_ok(), "{read:?}");
        assert_eq!(Public::parse_file(&area), read);
        let with_length = [&[0, 37], area.as_slice()].concat();
        assert_eq!(Public::parse_file(&with_length), read);
    }
}

//! Public keys and the signatures that they verify (RFC 4253 §6.6, RFC 5656, RFC 8332, RFC 8709).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519,
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use der::asn1::UintRef;
use der::{Encode, Sequence};

use super::read::{CutShort, Reader, put_string, put_unsigned};

/// The largest RSA key that is looked at, in bytes: 8192 bits.
const MAX_MODULUS: usize = 1024;
/// The largest public exponent, in bytes.
const MAX_EXPONENT: usize = 4;

/// Why bytes are no public key that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyFault {
    /// It ends too early.
    #[error("it is cut short")]
    CutShort,
    /// There is more behind it.
    #[error("there is something behind it")]
    Trailing,
    /// Of a type that is not known here, or no longer.
    #[error("its type {0:?} is not supported; use an RSA, ECDSA or Ed25519 key")]
    Type(String),
    /// The curve is not the one that the type names, or the point is none of its points.
    #[error("its point or curve does not fit its type")]
    Point,
    /// Too large a key to verify with.
    #[error("it has more than 8192 bits, or an exponent of more than 32")]
    TooLarge,
}

impl From<CutShort> for PublicKeyFault {
    fn from(_: CutShort) -> Self {
        Self::CutShort
    }
}

/// A signature, with the name of how it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) format: String,
    pub(super) blob: Vec<u8>,
}

impl Signature {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, CutShort> {
        let mut reader = Reader::new(bytes);
        let format = String::from_utf8_lossy(reader.string()?).into_owned();
        let blob = reader.string()?.to_vec();
        reader.is_empty().then_some(Self { format, blob }).ok_or(CutShort)
    }
}

/// A curve that SSH has a type of key for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    pub(super) const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// Its name: `nistp256`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::P256 => "nistp256",
            Self::P384 => "nistp384",
            Self::P521 => "nistp521",
        }
    }

    /// The type of its keys, which is that of their signatures too.
    pub(super) fn key_type(self) -> &'static str {
        match self {
            Self::P256 => "ecdsa-sha2-nistp256",
            Self::P384 => "ecdsa-sha2-nistp384",
            Self::P521 => "ecdsa-sha2-nistp521",
        }
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_ASN1,
            Self::P384 => &ECDSA_P384_SHA384_ASN1,
            Self::P521 => &ECDSA_P521_SHA512_ASN1,
        }
    }

    /// The length of an uncompressed point.
    fn point(self) -> usize {
        match self {
            Self::P256 => 65,
            Self::P384 => 97,
            Self::P521 => 133,
        }
    }
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PublicKey {
    /// Both numbers big-endian, without zeros in front.
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// An uncompressed point.
    Ecdsa {
        curve: Curve,
        point: Vec<u8>,
    },
    Ed25519([u8; 32]),
}

#[derive(Sequence)]
struct Numbers<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

impl PublicKey {
    /// A key as it stands in files, and nothing else.
    pub(super) fn parse(blob: &[u8]) -> Result<Self, PublicKeyFault> {
        let mut reader = Reader::new(blob);
        let key_type = reader.string()?;
        let key = Self::parse_fields(key_type, &mut reader)?;
        reader.is_empty().then_some(key).ok_or(PublicKeyFault::Trailing)
    }

    /// The fields of a key of this type, which stand in certificates too.
    pub(super) fn parse_fields(key_type: &[u8], reader: &mut Reader<'_>) -> Result<Self, PublicKeyFault> {
        if let Some(curve) = Curve::ALL.into_iter().find(|curve| curve.key_type().as_bytes() == key_type) {
            let (name, point) = (reader.string()?, reader.string()?);
            let fits =
                name == curve.name().as_bytes() && point.len() == curve.point() && point.first() == Some(&4);
            return fits.then(|| Self::Ecdsa { curve, point: point.to_vec() }).ok_or(PublicKeyFault::Point);
        }
        match key_type {
            b"ssh-rsa" => {
                let (exponent, modulus) = (reader.unsigned()?, reader.unsigned()?);
                if modulus.len() > MAX_MODULUS || exponent.len() > MAX_EXPONENT {
                    return Err(PublicKeyFault::TooLarge);
                }
                Ok(Self::Rsa { modulus: modulus.to_vec(), exponent: exponent.to_vec() })
            }
            b"ssh-ed25519" => {
                let key = reader.string()?;
                key.try_into().map(Self::Ed25519).map_err(|_| PublicKeyFault::Point)
            }
            other => Err(PublicKeyFault::Type(String::from_utf8_lossy(other).into_owned())),
        }
    }

    pub(super) fn key_type(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "ssh-rsa",
            Self::Ecdsa { curve, .. } => curve.key_type(),
            Self::Ed25519(_) => "ssh-ed25519",
        }
    }

    /// As it stands in files.
    pub(super) fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        put_string(&mut blob, self.key_type().as_bytes());
        match self {
            Self::Rsa { modulus, exponent } => {
                put_unsigned(&mut blob, exponent);
                put_unsigned(&mut blob, modulus);
            }
            Self::Ecdsa { curve, point } => {
                put_string(&mut blob, curve.name().as_bytes());
                put_string(&mut blob, point);
            }
            Self::Ed25519(key) => put_string(&mut blob, key),
        }
        blob
    }

    /// Whether the key made this signature of `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        match self {
            Self::Rsa { modulus, exponent } => {
                let Some(how) = rsa(&signature.format) else { return false };
                let Some(missing) = modulus.len().checked_sub(signature.blob.len()) else { return false };
                // some signers leave out the zeros in front
                let blob = [vec![0; missing].as_slice(), &signature.blob].concat();
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(how, message, &blob).is_ok()
            }
            Self::Ecdsa { curve, point } => {
                if signature.format != curve.key_type() {
                    return false;
                }
                let Some(der) = numbers(&signature.blob) else { return false };
                UnparsedPublicKey::new(curve.verification(), point).verify(message, &der).is_ok()
            }
            Self::Ed25519(key) => {
                let key = UnparsedPublicKey::new(&ED25519, key);
                signature.format == self.key_type() && key.verify(message, &signature.blob).is_ok()
            }
        }
    }
}

/// How signatures of RSA keys are made. SPIRE's agents sign with SHA-1: the nonces that they sign are half the server's,
/// so that no collision helps.
fn rsa(format: &str) -> Option<&'static RsaParameters> {
    match format {
        "rsa-sha2-256" => Some(&RSA_PKCS1_2048_8192_SHA256),
        "rsa-sha2-512" => Some(&RSA_PKCS1_2048_8192_SHA512),
        "ssh-rsa" => Some(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY),
        _ => None,
    }
}

/// The two numbers of an ECDSA signature in DER.
fn numbers(blob: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::new(blob);
    let (r, s) = (reader.unsigned().ok()?, reader.unsigned().ok()?);
    if !reader.is_empty() {
        return None;
    }
    Numbers { r: UintRef::new(r).ok()?, s: UintRef::new(s).ok()? }.to_der().ok()
}

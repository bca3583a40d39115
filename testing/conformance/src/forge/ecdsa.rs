//! ECDSA on the NIST curves, with the secret number of each signature taken from the message (RFC 6979).

use p256::ecdsa::signature::hazmat::PrehashSigner;

use super::key::Hash;

/// A curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the curves'
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// By its name in JWKs.
    pub fn named(name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.name() == name)
    }

    /// Its name in JWKs.
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// Its object identifier.
    pub fn oid(self) -> &'static str {
        match self {
            Self::P256 => "1.2.840.10045.3.1.7",
            Self::P384 => "1.3.132.0.34",
            Self::P521 => "1.3.132.0.35",
        }
    }

    /// The hash of its security level.
    pub fn hash(self) -> Hash {
        match self {
            Self::P256 => Hash::Sha256,
            Self::P384 => Hash::Sha384,
            Self::P521 => Hash::Sha512,
        }
    }

    /// How many bytes a coordinate takes.
    pub fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The two numbers of the signature over a hash, side by side; a hash that is short for the curve counts as the
    /// number that it is.
    pub(super) fn sign(self, private: &[u8], hash: &[u8]) -> Option<Vec<u8>> {
        let mut padded = vec![0; self.size().saturating_sub(hash.len())];
        padded.extend(hash);
        let padded = if hash.len() < self.size() / 2 + 1 { padded } else { hash.to_vec() };
        match self {
            Self::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(private).ok()?;
                let signature: p256::ecdsa::Signature = key.sign_prehash(&padded).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            Self::P384 => {
                let key = p384::ecdsa::SigningKey::from_slice(private).ok()?;
                let signature: p384::ecdsa::Signature = key.sign_prehash(&padded).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            Self::P521 => {
                let key = p521::ecdsa::SigningKey::from_slice(private).ok()?;
                let signature: p521::ecdsa::Signature = key.sign_prehash(&padded).ok()?;
                Some(signature.to_bytes().to_vec())
            }
        }
    }
}

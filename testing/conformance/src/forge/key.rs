//! Private keys that sign anything, read from JWKs (RFC 7517).

use aws_lc_rs::digest::{Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::der::{bits, integer, oid, sequence, tlv};
use super::ecdsa::Curve;
use super::rsa::RsaKey;

/// A hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the algorithms'
pub enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The hash of a message.
    pub fn of(self, message: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &SHA256,
            Self::Sha384 => &SHA384,
            Self::Sha512 => &SHA512,
        };
        let hash: Digest = digest(algorithm, message);
        hash.as_ref().to_vec()
    }

    /// Its object identifier.
    pub fn oid(self) -> &'static str {
        match self {
            Self::Sha1 => "1.3.14.3.2.26",
            Self::Sha256 => "2.16.840.1.101.3.4.2.1",
            Self::Sha384 => "2.16.840.1.101.3.4.2.2",
            Self::Sha512 => "2.16.840.1.101.3.4.2.3",
        }
    }
}

/// How a message is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// ECDSA over a hash.
    Ecdsa(Hash),
    /// RSASSA-PKCS1-v1_5 over a hash.
    Pkcs1(Hash),
    /// RSASSA-PSS with that hash in both places, and a salt as long as the hash.
    Pss(Hash),
}

/// A private key.
#[derive(Debug)]
pub enum Key {
    /// On one of the NIST curves.
    Ec {
        /// Which.
        curve: Curve,
        /// The private number.
        private: Vec<u8>,
        /// The uncompressed point.
        point: Vec<u8>,
    },
    /// RSA of any size.
    Rsa(RsaKey),
}

impl Key {
    /// From a private JWK.
    pub fn from_jwk(text: &str) -> Option<Self> {
        let jwk: Value = serde_json::from_str(text).ok()?;
        let number = |name: &str| URL_SAFE_NO_PAD.decode(jwk.get(name)?.as_str()?).ok();
        match jwk.get("kty")?.as_str()? {
            "EC" => {
                let curve = Curve::named(jwk.get("crv")?.as_str()?)?;
                let point = [vec![4], number("x")?, number("y")?].concat();
                Some(Self::Ec { curve, private: number("d")?, point })
            }
            "RSA" => Some(Self::Rsa(RsaKey::new(
                &number("n")?,
                &number("e")?,
                &number("d")?,
                ["p", "q", "dp", "dq", "qi"].map(number),
            )?)),
            _ => None,
        }
    }

    /// The algorithm with which it signs unless told otherwise.
    pub fn usual(&self) -> Scheme {
        match self {
            Self::Ec { curve, .. } => Scheme::Ecdsa(curve.hash()),
            Self::Rsa(_) => Scheme::Pkcs1(Hash::Sha256),
        }
    }

    /// Signs as X.509 has it; ECDSA as a SEQUENCE. Empty where key and scheme do not fit, which holds nowhere.
    pub fn sign(&self, scheme: Scheme, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ec { curve, .. } => {
                let fixed = self.sign_fixed(scheme, message);
                let (r, s) = fixed.split_at(fixed.len().min(curve.size()));
                sequence(&[&integer(r), &integer(s)])
            }
            Self::Rsa(_) => self.sign_fixed(scheme, message),
        }
    }

    /// Signs as JWS has it; ECDSA as its two numbers side by side.
    pub fn sign_fixed(&self, scheme: Scheme, message: &[u8]) -> Vec<u8> {
        match (self, scheme) {
            (Self::Ec { curve, private, .. }, Scheme::Ecdsa(hash)) => {
                curve.sign(private, &hash.of(message)).unwrap_or_default()
            }
            (Self::Rsa(key), Scheme::Pkcs1(hash)) => key.sign_pkcs1(hash, message),
            (Self::Rsa(key), Scheme::Pss(hash)) => key.sign_pss(hash, message),
            _ => Vec::new(),
        }
    }

    /// The content of the SubjectPublicKeyInfo's BIT STRING.
    pub fn raw(&self) -> Vec<u8> {
        match self {
            Self::Ec { point, .. } => point.clone(),
            Self::Rsa(key) => key.public_der(),
        }
    }

    /// The DER SubjectPublicKeyInfo.
    pub fn spki(&self) -> Vec<u8> {
        sequence(&[&self.algorithm(), &bits(&self.raw())])
    }

    /// The private key in the form of its kind alone: ECPrivateKey (SEC 1) or RSAPrivateKey (PKCS#1).
    pub fn bare(&self) -> Vec<u8> {
        match self {
            Self::Ec { private, point, curve } => sequence(&[
                &[2, 1, 1],
                &tlv(4, &[private]),
                &tlv(0xa0, &[&oid(curve.oid())]),
                &tlv(0xa1, &[&bits(point)]),
            ]),
            Self::Rsa(key) => key.private_der(),
        }
    }

    /// The unencrypted PKCS#8.
    pub fn pkcs8(&self) -> Vec<u8> {
        sequence(&[&[2, 1, 0], &self.algorithm(), &tlv(4, &[&self.bare()])])
    }

    /// The AlgorithmIdentifier of the key.
    fn algorithm(&self) -> Vec<u8> {
        match self {
            Self::Ec { curve, .. } => sequence(&[&oid("1.2.840.10045.2.1"), &oid(curve.oid())]),
            Self::Rsa(_) => sequence(&[&oid("1.2.840.113549.1.1.1"), &[5, 0]]),
        }
    }

    /// The public JWK without `kid` or `use`.
    pub fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Ec { curve, point, .. } => {
                let (x, y) = point.get(1..).unwrap_or_default().split_at(curve.size());
                json!({ "kty": "EC", "crv": curve.name(), "x": text(x), "y": text(y) })
            }
            Self::Rsa(key) => json!({ "kty": "RSA", "n": text(key.modulus()), "e": text(key.exponent()) }),
        }
    }

    /// The private JWK without `kid` or `use`.
    pub fn private_jwk(&self) -> Value {
        let mut jwk = self.jwk();
        let secret = match self {
            Self::Ec { private, .. } => vec![("d", private.clone())],
            Self::Rsa(key) => key.secrets(),
        };
        for (name, bytes) in secret {
            jwk[name] = URL_SAFE_NO_PAD.encode(bytes).into();
        }
        jwk
    }
}

/// The AlgorithmIdentifier of a signature (RFC 5758, RFC 4055).
pub fn signature_algorithm(scheme: Scheme) -> Vec<u8> {
    match scheme {
        Scheme::Ecdsa(Hash::Sha1) => sequence(&[&oid("1.2.840.10045.4.1")]),
        Scheme::Ecdsa(Hash::Sha256) => sequence(&[&oid("1.2.840.10045.4.3.2")]),
        Scheme::Ecdsa(Hash::Sha384) => sequence(&[&oid("1.2.840.10045.4.3.3")]),
        Scheme::Ecdsa(Hash::Sha512) => sequence(&[&oid("1.2.840.10045.4.3.4")]),
        Scheme::Pkcs1(Hash::Sha1) => sequence(&[&oid("1.2.840.113549.1.1.5"), &[5, 0]]),
        Scheme::Pkcs1(Hash::Sha256) => sequence(&[&oid("1.2.840.113549.1.1.11"), &[5, 0]]),
        Scheme::Pkcs1(Hash::Sha384) => sequence(&[&oid("1.2.840.113549.1.1.12"), &[5, 0]]),
        Scheme::Pkcs1(Hash::Sha512) => sequence(&[&oid("1.2.840.113549.1.1.13"), &[5, 0]]),
        Scheme::Pss(hash) => {
            let hashed = sequence(&[&oid(hash.oid()), &[5, 0]]);
            let masked = sequence(&[&oid("1.2.840.113549.1.1.8"), &hashed]);
            let salt = integer(&[hash.of(b"").len() as u8]);
            let parameters =
                sequence(&[&tlv(0xa0, &[&hashed]), &tlv(0xa1, &[&masked]), &tlv(0xa2, &[&salt])]);
            sequence(&[&oid("1.2.840.113549.1.1.10"), &parameters])
        }
    }
}

//! Private keys of hosts: OpenSSH's own files (`PROTOCOL.key`), and PEM files of PKCS#8, PKCS#1 and SEC 1.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPairComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use der::asn1::UintRef;
use der::{Encode, Sequence};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use zeroize::Zeroizing;

use super::modulo::modulo_predecessor;
use super::public_key::{Curve, PublicKey, PublicKeyFault, Signature};
use super::read::{CutShort, Reader, put_unsigned};

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// Why a private key cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyFault {
    /// There is none in the file.
    #[error("ssh: no key found")]
    NoKey,
    /// It ends too early, or is otherwise not what it says.
    #[error("ssh: malformed key")]
    Malformed,
    /// Somebody would have to type a passphrase.
    #[error("ssh: this private key is passphrase protected; an agent has nobody to ask for it")]
    Encrypted,
    /// There are several.
    #[error("ssh: multi-key files are not supported")]
    Several,
    /// Of a type that is not known here.
    #[error("ssh: {0}")]
    Type(#[from] PublicKeyFault),
    /// An RSA key that is too small or too large, or of another curve.
    #[error(
        "the private key is of no type that can be used (RSA of 2048 to 8192 bits, P-256, P-384, P-521, Ed25519)"
    )]
    Unusable,
    /// It is not the one that the certificate is for.
    #[error("private key does not match public key")]
    NotOfCertificate,
    /// It did not sign.
    #[error("failed to sign data")]
    Sign,
}

impl From<CutShort> for KeyFault {
    fn from(_: CutShort) -> Self {
        Self::Malformed
    }
}

/// A key that can sign.
pub(super) enum PrivateKey {
    Rsa(RsaKeyPair),
    Ecdsa(Curve, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// The key of a file.
    pub(super) fn parse(file: &[u8]) -> Result<Self, KeyFault> {
        let text = std::str::from_utf8(file).map_err(|_| KeyFault::NoKey)?;
        if let Some((_, after)) = text.split_once(BEGIN) {
            let (encoded, _) = after.split_once(END).ok_or(KeyFault::NoKey)?;
            return Self::of_openssh(&decode(encoded).ok_or(KeyFault::Malformed)?);
        }
        if text.contains("Proc-Type: 4,ENCRYPTED") || text.contains("BEGIN ENCRYPTED PRIVATE KEY") {
            return Err(KeyFault::Encrypted);
        }
        Self::of_pem(file)
    }

    fn of_pem(file: &[u8]) -> Result<Self, KeyFault> {
        // the message of a parser that has a private key in hand is not repeated
        let der = PrivateKeyDer::from_pem_slice(file).map_err(|_| KeyFault::NoKey)?;
        let bytes = der.secret_der();
        let (rsa, edwards) = match der {
            PrivateKeyDer::Pkcs8(_) => {
                (RsaKeyPair::from_pkcs8(bytes).ok(), Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes).ok())
            }
            PrivateKeyDer::Pkcs1(_) => (RsaKeyPair::from_der(bytes).ok(), None),
            _ => (None, None),
        };
        let ec = |curve: Curve| {
            let pair = EcdsaKeyPair::from_private_key_der(signing(curve), bytes).ok()?;
            Some(Self::Ecdsa(curve, pair))
        };
        rsa.map(Self::Rsa)
            .or(edwards.map(Self::Ed25519))
            .or_else(|| Curve::ALL.into_iter().find_map(ec))
            .ok_or(KeyFault::Unusable)
    }

    fn of_openssh(file: &[u8]) -> Result<Self, KeyFault> {
        let mut reader = Reader::new(file.strip_prefix(MAGIC).ok_or(KeyFault::Malformed)?);
        let (cipher, kdf, _options) = (reader.string()?, reader.string()?, reader.string()?);
        let number = reader.u32()?;
        let _public = reader.string()?;
        let private = reader.string()?;
        match (cipher, kdf, number) {
            (b"none", b"none", 1) => Self::of_fields(private),
            (b"none", b"none", _) => Err(KeyFault::Several),
            _ => Err(KeyFault::Encrypted),
        }
    }

    fn of_fields(bytes: &[u8]) -> Result<Self, KeyFault> {
        let mut reader = Reader::new(bytes);
        if reader.u32()? != reader.u32()? {
            return Err(KeyFault::Malformed);
        }
        let key_type = reader.string()?;
        match key_type {
            b"ssh-rsa" => Self::rsa(&mut reader),
            b"ssh-ed25519" => {
                let (public, private) = (reader.string()?, reader.string()?);
                let seed = private.first_chunk::<32>().ok_or(KeyFault::Malformed)?;
                let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public);
                pair.map(Self::Ed25519).map_err(|_| KeyFault::Malformed)
            }
            _ => {
                let public = PublicKey::parse_fields(key_type, &mut reader)?;
                let PublicKey::Ecdsa { curve, point } = public else { return Err(KeyFault::Malformed) };
                let scalar = reader.unsigned()?;
                let pair = EcdsaKeyPair::from_private_key_and_public_key(signing(curve), scalar, &point);
                pair.map(|pair| Self::Ecdsa(curve, pair)).map_err(|_| KeyFault::Malformed)
            }
        }
    }

    /// In files: n, e, d, q^-1 mod p, p, q.
    fn rsa(reader: &mut Reader<'_>) -> Result<Self, KeyFault> {
        let (n, e, d) = (reader.unsigned()?, reader.unsigned()?, reader.unsigned()?);
        let (inverse, p, q) = (reader.unsigned()?, reader.unsigned()?, reader.unsigned()?);
        if n.len() > 1024 || [e, d, p, q, inverse].iter().any(|number| number.len() > n.len()) {
            return Err(KeyFault::Unusable);
        }
        let (exponent_p, exponent_q) = (modulo_predecessor(d, p), modulo_predecessor(d, q));
        let pair = RsaKeyPair::from_components(&KeyPairComponents {
            public_key: RsaPublicKeyComponents { n, e },
            d,
            p,
            q,
            dP: exponent_p.as_slice(),
            dQ: exponent_q.as_slice(),
            qInv: inverse,
        });
        pair.map(Self::Rsa).map_err(|_| KeyFault::Unusable)
    }

    /// Fails unless this is the other half of `public`.
    pub(super) fn belongs_to(&self, public: &PublicKey) -> Result<(), KeyFault> {
        let same = match (self, public) {
            (Self::Rsa(pair), PublicKey::Rsa { modulus, exponent }) => {
                rsa_der(modulus, exponent).is_some_and(|der| pair.public_key().as_ref() == der)
            }
            (Self::Ecdsa(curve, pair), PublicKey::Ecdsa { curve: other, point }) => {
                curve == other && pair.public_key().as_ref() == point
            }
            (Self::Ed25519(pair), PublicKey::Ed25519(key)) => pair.public_key().as_ref() == key,
            _ => false,
        };
        same.then_some(()).ok_or(KeyFault::NotOfCertificate)
    }

    /// Signs; an RSA key with SHA-256.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Signature, KeyFault> {
        match self {
            Self::Rsa(pair) => {
                let mut blob = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut blob)
                    .map_err(|_| KeyFault::Sign)?;
                Ok(Signature { format: "rsa-sha2-256".to_owned(), blob })
            }
            Self::Ecdsa(curve, pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(|_| KeyFault::Sign)?;
                let (r, s) = signature.as_ref().split_at(signature.as_ref().len() / 2);
                let mut blob = Vec::new();
                put_unsigned(&mut blob, r);
                put_unsigned(&mut blob, s);
                Ok(Signature { format: curve.key_type().to_owned(), blob })
            }
            Self::Ed25519(pair) => {
                let blob = pair.sign(message).as_ref().to_vec();
                Ok(Signature { format: "ssh-ed25519".to_owned(), blob })
            }
        }
    }
}

fn signing(curve: Curve) -> &'static EcdsaSigningAlgorithm {
    match curve {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => &ECDSA_P521_SHA512_FIXED_SIGNING,
    }
}

#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

/// `RSAPublicKey` of RFC 8017.
fn rsa_der(modulus: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    RsaPublicKey { modulus: UintRef::new(modulus).ok()?, exponent: UintRef::new(exponent).ok()? }
        .to_der()
        .ok()
}

/// Base64 over several lines.
fn decode(encoded: &str) -> Option<Zeroizing<Vec<u8>>> {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let compact: Zeroizing<String> = Zeroizing::new(encoded.split_ascii_whitespace().collect());
    BASE64_STANDARD.decode(compact.as_bytes()).ok().map(Zeroizing::new)
}

//! The signatures by which a node proves that it has the key of its certificate.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P521_SHA256_ASN1, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPssSaltLength, UnparsedPublicKey, VerificationAlgorithm,
};
use der::asn1::{ObjectIdentifier, UintRef};
use der::{Decode, Encode, Sequence};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use super::wire::{Challenge, NONCE, Nonce, Response};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// The salt as long as the key allows: what Go signs with, hence SPIRE's agents.
static RSA_PSS_LONGEST_SALT: RsaParameters =
    RSA_PSS_2048_8192_SHA256.with_pss_salt_length(RsaPssSaltLength::Max);

/// A public key as far as this attestor knows it.
pub(crate) enum PublicKey<'a> {
    /// Of this many bits, as `RSAPublicKey` of RFC 8017.
    Rsa { bits: usize, der: &'a [u8] },
    /// A point on a curve.
    Ec { curve: Curve, point: &'a [u8] },
    /// Of a type, curve or form that has no challenge.
    Other(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

/// What a key was asked, and answered, does not fit.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum ProofError {
    #[error("expecting {0} challenge")]
    NoChallenge(&'static str),
    #[error("expecting {0} response")]
    NoResponse(&'static str),
    #[error("invalid challenge nonce")]
    ChallengeNonce,
    #[error("invalid response nonce")]
    ResponseNonce,
    #[error("{0} signature verify failed")]
    Signature(&'static str),
    #[error("unsupported public key type {0}")]
    Unsupported(String),
}

#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

#[derive(Sequence)]
struct Numbers<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

impl<'a> PublicKey<'a> {
    pub(super) fn of(info: &'a SubjectPublicKeyInfoOwned) -> Self {
        let bits = info.subject_public_key.raw_bytes();
        let parameter = || info.algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok();
        match info.algorithm.oid {
            RSA => match RsaPublicKey::from_der(bits) {
                Ok(key) => Self::Rsa { bits: bit_length(key.modulus.as_bytes()), der: bits },
                Err(_) => Self::Other("RSA, malformed".to_owned()),
            },
            EC => match parameter() {
                Some(P256) => Self::Ec { curve: Curve::P256, point: bits },
                Some(P384) => Self::Ec { curve: Curve::P384, point: bits },
                Some(P521) => Self::Ec { curve: Curve::P521, point: bits },
                Some(curve) => Self::Other(format!("EC on curve {curve}")),
                None => Self::Other("EC without a named curve".to_owned()),
            },
            other => Self::Other(other.to_string()),
        }
    }

    /// Whether the key made this signature over the SHA-256 of `message`: by PKCS#1 v1.5, or two numbers in DER.
    pub(crate) fn verifies_sha256(&self, message: &[u8], signature: &[u8]) -> bool {
        let (how, key): (&'static dyn VerificationAlgorithm, _) = match self {
            Self::Rsa { der, .. } => (&RSA_PKCS1_2048_8192_SHA256, der),
            Self::Ec { curve: Curve::P256, point } => (&ECDSA_P256_SHA256_ASN1, point),
            Self::Ec { curve: Curve::P384, point } => (&ECDSA_P384_SHA256_ASN1, point),
            Self::Ec { curve: Curve::P521, point } => (&ECDSA_P521_SHA256_ASN1, point),
            Self::Other(_) => return false,
        };
        UnparsedPublicKey::new(how, key).verify(message, signature).is_ok()
    }

    /// The challenge that fits the key.
    pub(super) fn challenge(&self, nonce: [u8; NONCE]) -> Result<Challenge, ProofError> {
        let nonce = Some(Nonce { nonce: super::wire::Bytes(nonce.to_vec()) });
        match self {
            Self::Rsa { .. } => Ok(Challenge { rsa_signature: nonce, ecdsa_signature: None }),
            Self::Ec { .. } => Ok(Challenge { rsa_signature: None, ecdsa_signature: nonce }),
            Self::Other(what) => Err(ProofError::Unsupported(what.clone())),
        }
    }

    /// Whether `response` answers a challenge of this nonce with this key.
    pub(super) fn verify(&self, nonce: &[u8; NONCE], response: &Response) -> Result<(), ProofError> {
        match self {
            Self::Rsa { der, .. } => {
                let answer = response.rsa_signature.as_ref().ok_or(ProofError::NoResponse("RSA"))?;
                let both = both_nonces(nonce, &answer.nonce.0)?;
                let fits = |how| verifies(how, der, &both, &answer.signature.0);
                let ok = fits(&RSA_PSS_LONGEST_SALT) || fits(&RSA_PSS_2048_8192_SHA256);
                ok.then_some(()).ok_or(ProofError::Signature("RSA"))
            }
            Self::Ec { curve, point } => {
                let answer = response.ecdsa_signature.as_ref().ok_or(ProofError::NoResponse("ECDSA"))?;
                let both = both_nonces(nonce, &answer.nonce.0)?;
                let how: &'static dyn VerificationAlgorithm = match curve {
                    Curve::P256 => &ECDSA_P256_SHA256_ASN1,
                    Curve::P384 => &ECDSA_P384_SHA256_ASN1,
                    Curve::P521 => &ECDSA_P521_SHA256_ASN1,
                };
                let signature = numbers(&answer.r.0, &answer.s.0).ok_or(ProofError::Signature("ECDSA"))?;
                let key = UnparsedPublicKey::new(how, point);
                key.verify(&both, &signature).map_err(|_| ProofError::Signature("ECDSA"))
            }
            Self::Other(what) => Err(ProofError::Unsupported(what.clone())),
        }
    }
}

fn verifies(how: &'static RsaParameters, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(how, key).verify(message, signature).is_ok()
}

fn numbers(r: &[u8], s: &[u8]) -> Option<Vec<u8>> {
    Numbers { r: UintRef::new(r).ok()?, s: UintRef::new(s).ok()? }.to_der().ok()
}

/// What is signed: the challenger's nonce, then the responder's.
pub(super) fn both_nonces(challenger: &[u8], responder: &[u8]) -> Result<[u8; 2 * NONCE], ProofError> {
    let mut both = [0; 2 * NONCE];
    let (first, second) = both.split_at_mut(NONCE);
    if challenger.len() != NONCE {
        return Err(ProofError::ChallengeNonce);
    }
    if responder.len() != NONCE {
        return Err(ProofError::ResponseNonce);
    }
    first.copy_from_slice(challenger);
    second.copy_from_slice(responder);
    Ok(both)
}

/// The hash of what is signed, for signers that take no message.
pub(super) fn hash(both: &[u8]) -> Vec<u8> {
    digest(&SHA256, both).as_ref().to_vec()
}

/// How many bits a number has that is written big-endian.
fn bit_length(number: &[u8]) -> usize {
    let number: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
    match number.first() {
        Some(first) => number.len() * 8 - usize::try_from(first.leading_zeros()).unwrap_or(0),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_highest_one() {
        assert_eq!(bit_length(&[0, 0]), 0);
        assert_eq!(bit_length(&[0, 1, 0]), 9);
        assert_eq!(bit_length(&[0x80; 256]), 2048);
    }

    /// What SPIRE 1.16's own code showed, was asked and answered, by type of key.
    const BY_SPIRE: &str = include_str!("../../tests/samples/x509pop-go.json");

    #[derive(serde::Deserialize)]
    struct Conversation {
        name: String,
        payload: crate::x509pop::wire::Payload,
        challenge: Challenge,
        response: Response,
        serial_number_hex: String,
        fingerprint: String,
    }

    fn by_spire() -> Vec<(Conversation, crate::x509pop::leaf::Leaf)> {
        let all: Vec<Conversation> = serde_json::from_str(BY_SPIRE).unwrap();
        let leaf = |one: &Conversation| {
            let chain = one.payload.certificates.as_deref().unwrap();
            crate::x509pop::leaf::Leaf::parse(&chain[0].0).unwrap()
        };
        all.into_iter()
            .map(|one| {
                let leaf = leaf(&one);
                (one, leaf)
            })
            .collect()
    }

    fn nonce(challenge: &Challenge) -> [u8; NONCE] {
        let asked = challenge.rsa_signature.as_ref().or(challenge.ecdsa_signature.as_ref()).unwrap();
        asked.nonce.0.clone().try_into().unwrap()
    }

    #[test]
    fn what_spires_agents_answer_is_believed() {
        let all = by_spire();
        assert_eq!(all.len(), 5);
        for (one, leaf) in &all {
            let nonce = nonce(&one.challenge);
            assert_eq!(leaf.public_key().challenge(nonce).unwrap(), one.challenge, "{}", one.name);
            assert_eq!(leaf.public_key().verify(&nonce, &one.response), Ok(()), "{}", one.name);
            let mut other = nonce;
            other[0] ^= 1;
            assert!(leaf.public_key().verify(&other, &one.response).is_err(), "{}", one.name);
        }
    }

    #[test]
    fn serial_numbers_and_fingerprints_are_those_of_spire() {
        for (one, leaf) in by_spire() {
            assert_eq!(leaf.serial_number_hex(), one.serial_number_hex);
            assert_eq!(crate::x509pop::leaf::fingerprint(leaf.der()), one.fingerprint);
        }
    }

    #[test]
    fn nonces_of_another_length_are_refused() {
        assert_eq!(both_nonces(&[1; 31], &[2; 32]), Err(ProofError::ChallengeNonce));
        assert_eq!(both_nonces(&[1; 32], &[]), Err(ProofError::ResponseNonce));
    }
}

//! The node's private key.

use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA256_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair, RSA_PSS_SHA256, RsaKeyPair,
};
use p384::ecdsa::signature::hazmat::PrehashSigner;
use rustls_pki_types::PrivateKeyDer;

use super::proof::{Curve, ProofError, PublicKey, both_nonces, hash};
use super::wire::{Bytes, Challenge, EcdsaSignature, NONCE, Nonce, Response, RsaSignature};

/// A key that can answer a challenge.
pub(super) enum Key {
    Rsa(RsaKeyPair),
    Ec { curve: Curve, pair: EcdsaKeyPair },
}

/// Why a key cannot be used, or gave no answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum KeyFault {
    #[error("the private key is of no type that can be used (RSA of 2048 to 8192 bits, P-256, P-384, P-521)")]
    Unusable,
    #[error("private key does not match public key")]
    NotOfCertificate,
    #[error("the private key does not sign")]
    Sign,
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl Key {
    pub(super) fn load(der: &PrivateKeyDer<'_>) -> Result<Self, KeyFault> {
        let bytes = der.secret_der();
        let rsa = match der {
            PrivateKeyDer::Pkcs8(_) => RsaKeyPair::from_pkcs8(bytes).ok(),
            PrivateKeyDer::Pkcs1(_) => RsaKeyPair::from_der(bytes).ok(),
            _ => None,
        };
        if let Some(pair) = rsa {
            return Ok(Self::Rsa(pair));
        }
        let curves: [(Curve, &'static EcdsaSigningAlgorithm); 3] = [
            (Curve::P256, &ECDSA_P256_SHA256_FIXED_SIGNING),
            (Curve::P384, &ECDSA_P384_SHA384_FIXED_SIGNING),
            (Curve::P521, &ECDSA_P521_SHA256_FIXED_SIGNING),
        ];
        let ec = |(curve, how): (Curve, &'static EcdsaSigningAlgorithm)| {
            let pair = EcdsaKeyPair::from_private_key_der(how, bytes).ok()?;
            Some(Self::Ec { curve, pair })
        };
        curves.into_iter().find_map(ec).ok_or(KeyFault::Unusable)
    }

    /// Fails unless the certificate with this public key was made for it.
    pub(super) fn belongs_to(&self, certified: &PublicKey<'_>) -> Result<(), KeyFault> {
        let same = match (self, certified) {
            (Self::Rsa(pair), PublicKey::Rsa { der, .. }) => pair.public_key().as_ref() == *der,
            (Self::Ec { curve, pair }, PublicKey::Ec { curve: other, point }) => {
                curve == other && pair.public_key().as_ref() == *point
            }
            _ => false,
        };
        same.then_some(()).ok_or(KeyFault::NotOfCertificate)
    }

    pub(super) fn answer(&self, challenge: &Challenge) -> Result<Response, KeyFault> {
        let mut own = [0; NONCE];
        aws_lc_rs::rand::fill(&mut own).map_err(|_| KeyFault::Sign)?;
        let signed = |asked: &Nonce| both_nonces(&asked.nonce.0, &own);
        let nonce = Bytes(own.to_vec());
        match self {
            Self::Rsa(pair) => {
                let asked = challenge.rsa_signature.as_ref().ok_or(ProofError::NoChallenge("RSA"))?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), &signed(asked)?, &mut signature)
                    .map_err(|_| KeyFault::Sign)?;
                let signature = Some(RsaSignature { nonce, signature: Bytes(signature) });
                Ok(Response { rsa_signature: signature, ecdsa_signature: None })
            }
            Self::Ec { curve, pair } => {
                let asked = challenge.ecdsa_signature.as_ref().ok_or(ProofError::NoChallenge("ECDSA"))?;
                let (r, s) = sign(*curve, pair, &signed(asked)?).ok_or(KeyFault::Sign)?;
                let signature = Some(EcdsaSignature { nonce, r: Bytes(r), s: Bytes(s) });
                Ok(Response { rsa_signature: None, ecdsa_signature: signature })
            }
        }
    }
}

/// `r` and `s` of a signature over the SHA-256 of `message`.
fn sign(curve: Curve, pair: &EcdsaKeyPair, message: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    match curve {
        Curve::P256 | Curve::P521 => {
            let signature = pair.sign(&SystemRandom::new(), message).ok()?;
            let (r, s) = signature.as_ref().split_at(signature.as_ref().len() / 2);
            Some((r.to_vec(), s.to_vec()))
        }
        // aws-lc-rs signs SHA-384 alone with this curve
        Curve::P384 => {
            let scalar = pair.private_key().as_be_bytes().ok()?;
            let key = p384::ecdsa::SigningKey::from_slice(scalar.as_ref()).ok()?;
            let signature: p384::ecdsa::Signature = key.sign_prehash(&hash(message)).ok()?;
            let (r, s) = signature.split_bytes();
            Some((r.to_vec(), s.to_vec()))
        }
    }
}

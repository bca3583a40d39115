//! The signatures of certificates, requests and revocation lists (RFC 3279, RFC 4055, RFC 5758).
//!
//! ECDSA on P-256, P-384 and P-521 and RSA of both paddings are verified, each with SHA-256, SHA-384 and SHA-512 in any
//! pairing. SHA-1, MD5 and other hashes are refused, and so is Ed25519, for which no SPIFFE document has a key.

use aws_lc_rs::signature as lc;
use aws_lc_rs::signature::VerificationAlgorithm;
use x509_cert::spki::ObjectIdentifier;

use super::oid;
use super::tlv::{INTEGER, OBJECT_IDENTIFIER, SEQUENCE, read_a};
use crate::key::PublicKey;

const NULL: &[u8] = &[5, 0];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// How something was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Ecdsa(Hash),
    RsaPkcs1(Hash),
    /// With MGF1 on the same hash, and a salt as long as the hash.
    RsaPss(Hash),
}

/// Why a signature does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unsigned {
    /// The algorithm is not one of those above. Its OID.
    Algorithm(String),
    /// The key is not of the algorithm's kind.
    OtherKind,
    /// The signature is another's, or over something else.
    Bad,
}

impl Scheme {
    /// From an AlgorithmIdentifier.
    pub(super) fn parse(algorithm: &[u8]) -> Option<Self> {
        let content = read_a(SEQUENCE, algorithm).filter(|all| all.rest.is_empty())?.content;
        let kind = read_a(OBJECT_IDENTIFIER, content)?;
        // RFC 5758 §3.2: no parameters. RFC 4055 §5: NULL, or none.
        let ecdsa = |hash| kind.rest.is_empty().then_some(Self::Ecdsa(hash));
        let pkcs1 = |hash| matches!(kind.rest, [] | [5, 0]).then_some(Self::RsaPkcs1(hash));
        match kind.whole {
            oid::ECDSA_WITH_SHA256 => ecdsa(Hash::Sha256),
            oid::ECDSA_WITH_SHA384 => ecdsa(Hash::Sha384),
            oid::ECDSA_WITH_SHA512 => ecdsa(Hash::Sha512),
            oid::SHA256_WITH_RSA => pkcs1(Hash::Sha256),
            oid::SHA384_WITH_RSA => pkcs1(Hash::Sha384),
            oid::SHA512_WITH_RSA => pkcs1(Hash::Sha512),
            oid::RSASSA_PSS => pss(kind.rest).map(Self::RsaPss),
            _ => None,
        }
    }

    /// Verifies `signature` over `message`.
    pub(super) fn verify(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), Unsigned> {
        let how = self.on(key).ok_or(Unsigned::OtherKind)?;
        how.verify_sig(key.raw(), message, signature).map_err(|_| Unsigned::Bad)
    }

    /// The algorithm for this key.
    fn on(self, key: &PublicKey) -> Option<&'static dyn VerificationAlgorithm> {
        use Hash::{Sha256, Sha384, Sha512};
        Some(match (self, key.curve()) {
            (Self::Ecdsa(Sha256), Some("P-256")) => &lc::ECDSA_P256_SHA256_ASN1,
            (Self::Ecdsa(Sha384), Some("P-256")) => &lc::ECDSA_P256_SHA384_ASN1,
            (Self::Ecdsa(Sha512), Some("P-256")) => &lc::ECDSA_P256_SHA512_ASN1,
            (Self::Ecdsa(Sha256), Some("P-384")) => &lc::ECDSA_P384_SHA256_ASN1,
            (Self::Ecdsa(Sha384), Some("P-384")) => &lc::ECDSA_P384_SHA384_ASN1,
            (Self::Ecdsa(Sha512), Some("P-384")) => &lc::ECDSA_P384_SHA512_ASN1,
            (Self::Ecdsa(Sha256), Some("P-521")) => &lc::ECDSA_P521_SHA256_ASN1,
            (Self::Ecdsa(Sha384), Some("P-521")) => &lc::ECDSA_P521_SHA384_ASN1,
            (Self::Ecdsa(Sha512), Some("P-521")) => &lc::ECDSA_P521_SHA512_ASN1,
            (Self::RsaPkcs1(Sha256), None) => &lc::RSA_PKCS1_2048_8192_SHA256,
            (Self::RsaPkcs1(Sha384), None) => &lc::RSA_PKCS1_2048_8192_SHA384,
            (Self::RsaPkcs1(Sha512), None) => &lc::RSA_PKCS1_2048_8192_SHA512,
            (Self::RsaPss(Sha256), None) => &lc::RSA_PSS_2048_8192_SHA256,
            (Self::RsaPss(Sha384), None) => &lc::RSA_PSS_2048_8192_SHA384,
            (Self::RsaPss(Sha512), None) => &lc::RSA_PSS_2048_8192_SHA512,
            _ => return None,
        })
    }
}

/// Verifies a signature by the AlgorithmIdentifier that stands beside it.
pub(super) fn verify(
    algorithm: &[u8],
    key: &PublicKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Unsigned> {
    match Scheme::parse(algorithm) {
        Some(scheme) => scheme.verify(key, message, signature),
        None => Err(Unsigned::Algorithm(named(algorithm))),
    }
}

/// The OID of an AlgorithmIdentifier, with dots.
pub(super) fn named(algorithm: &[u8]) -> String {
    let kind = read_a(SEQUENCE, algorithm).and_then(|all| read_a(OBJECT_IDENTIFIER, all.content));
    let dotted = kind.and_then(|kind| ObjectIdentifier::from_bytes(kind.content).ok());
    dotted.map_or_else(|| "?".to_owned(), |oid| oid.to_string())
}

/// RSASSA-PSS-params (RFC 4055 §3.1), of which every default is SHA-1's: so all of them are there but the trailer.
fn pss(parameters: &[u8]) -> Option<Hash> {
    let all = read_a(SEQUENCE, parameters).filter(|all| all.rest.is_empty())?;
    let hash = read_a(0xa0, all.content)?;
    let mask = read_a(0xa1, hash.rest)?;
    let salt = read_a(0xa2, mask.rest).filter(|salt| salt.rest.is_empty())?;
    let generator = read_a(SEQUENCE, mask.content).filter(|mask| mask.rest.is_empty())?;
    let kind = read_a(OBJECT_IDENTIFIER, generator.content).filter(|kind| kind.whole == oid::MGF1)?;
    let salt = read_a(INTEGER, salt.content).filter(|salt| salt.rest.is_empty())?;
    let hash = hash_of(hash.content)?;
    let length = match hash {
        Hash::Sha256 => 32,
        Hash::Sha384 => 48,
        Hash::Sha512 => 64,
    };
    (hash_of(kind.rest)? == hash && salt.content == [length]).then_some(hash)
}

fn hash_of(algorithm: &[u8]) -> Option<Hash> {
    let all = read_a(SEQUENCE, algorithm).filter(|all| all.rest.is_empty())?;
    let kind = read_a(OBJECT_IDENTIFIER, all.content)?;
    if !kind.rest.is_empty() && kind.rest != NULL {
        return None;
    }
    match kind.whole {
        oid::SHA256 => Some(Hash::Sha256),
        oid::SHA384 => Some(Hash::Sha384),
        oid::SHA512 => Some(Hash::Sha512),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::tlv::tlv;

    fn hash(kind: &[u8], null: bool) -> Vec<u8> {
        tlv(SEQUENCE, &[kind, if null { NULL } else { &[] }])
    }

    fn pss_of(hash: &[u8], mask: &[u8], salt: u8) -> Vec<u8> {
        let generator = tlv(SEQUENCE, &[oid::MGF1, mask]);
        let parts = [tlv(0xa0, &[hash]), tlv(0xa1, &[&generator]), tlv(0xa2, &[&[2, 1, salt]])];
        let parameters = tlv(SEQUENCE, &parts.each_ref().map(|part| &part[..]));
        tlv(SEQUENCE, &[oid::RSASSA_PSS, &parameters])
    }

    #[test]
    fn pss_is_read_with_the_parameters_that_are_verified() {
        for null in [true, false] {
            let sha256 = hash(oid::SHA256, null);
            assert_eq!(Scheme::parse(&pss_of(&sha256, &sha256, 32)), Some(Scheme::RsaPss(Hash::Sha256)));
            let sha512 = hash(oid::SHA512, null);
            assert_eq!(Scheme::parse(&pss_of(&sha512, &sha512, 64)), Some(Scheme::RsaPss(Hash::Sha512)));
            assert_eq!(Scheme::parse(&pss_of(&sha256, &sha512, 32)), None);
            assert_eq!(Scheme::parse(&pss_of(&sha256, &sha256, 20)), None);
        }
        assert_eq!(Scheme::parse(&tlv(SEQUENCE, &[oid::RSASSA_PSS, &[0x30, 0]])), None, "SHA-1 by default");
        assert_eq!(Scheme::parse(&tlv(SEQUENCE, &[oid::RSASSA_PSS])), None);
    }

    #[test]
    fn parameters_are_as_the_algorithm_wants_them() {
        let of = |kind, parameters: &[u8]| Scheme::parse(&tlv(SEQUENCE, &[kind, parameters]));
        assert_eq!(of(oid::SHA384_WITH_RSA, NULL), Some(Scheme::RsaPkcs1(Hash::Sha384)));
        assert_eq!(of(oid::SHA384_WITH_RSA, &[]), Some(Scheme::RsaPkcs1(Hash::Sha384)));
        assert_eq!(of(oid::SHA384_WITH_RSA, &[4, 0]), None);
        assert_eq!(of(oid::ECDSA_WITH_SHA512, &[]), Some(Scheme::Ecdsa(Hash::Sha512)));
        assert_eq!(of(oid::ECDSA_WITH_SHA512, NULL), None);
    }
}

//! The nine algorithms that SVIDs may have (JWT-SVID §2.1, WIT-SVID §2.3), by their names in JWS (RFC 7518 §3.1).

use crate::key::SigAlg;

const NAMES: [(&str, SigAlg); 9] = [
    ("RS256", SigAlg::RsaPkcs1Sha256),
    ("RS384", SigAlg::RsaPkcs1Sha384),
    ("RS512", SigAlg::RsaPkcs1Sha512),
    ("ES256", SigAlg::EcdsaP256Sha256),
    ("ES384", SigAlg::EcdsaP384Sha384),
    ("ES512", SigAlg::EcdsaP521Sha512),
    ("PS256", SigAlg::RsaPssSha256),
    ("PS384", SigAlg::RsaPssSha384),
    ("PS512", SigAlg::RsaPssSha512),
];

impl SigAlg {
    /// The algorithm that JWS calls so; names are compared byte by byte. Others than the nine of SVIDs are not known.
    pub fn from_jws(name: &str) -> Option<Self> {
        NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, alg)| alg)
    }

    /// What JWS calls it, such as `ES256`.
    pub fn jws_name(self) -> &'static str {
        match self {
            Self::RsaPkcs1Sha256 => "RS256",
            Self::RsaPkcs1Sha384 => "RS384",
            Self::RsaPkcs1Sha512 => "RS512",
            Self::EcdsaP256Sha256 => "ES256",
            Self::EcdsaP384Sha384 => "ES384",
            Self::EcdsaP521Sha512 => "ES512",
            Self::RsaPssSha256 => "PS256",
            Self::RsaPssSha384 => "PS384",
            Self::RsaPssSha512 => "PS512",
        }
    }

    /// The size in bytes of each of the two numbers of an ECDSA signature (RFC 7518 §3.4); `None` for RSA.
    pub(super) fn coordinate(self) -> Option<usize> {
        match self {
            Self::EcdsaP256Sha256 => Some(32),
            Self::EcdsaP384Sha384 => Some(48),
            Self::EcdsaP521Sha512 => Some(66),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_its_algorithm_find_each_other() {
        for (name, alg) in NAMES {
            assert_eq!((alg.jws_name(), SigAlg::from_jws(name)), (name, Some(alg)));
        }
        for other in ["none", "HS256", "EdDSA", "es256", "ES256K", "", "ML-DSA-65"] {
            assert_eq!(SigAlg::from_jws(other), None);
        }
    }
}

//! The key that a WIT-SVID is bound to: `cnf` (RFC 7800 §3, WIT-SVID §3.2).

use serde::Serialize;
use serde_json::{Map, Value};

use super::WitError;
use crate::jwk::{self, JwkError};
use crate::key::{PublicKey, SigAlg};

/// The claim `cnf`.
#[derive(Serialize)]
pub(super) struct Cnf {
    jwk: jwk::Members,
}

/// A public key and the one algorithm with which its holder proves to have it.
#[derive(Debug, Clone)]
pub struct ConfirmationKey {
    key: PublicKey,
    alg: SigAlg,
}

impl ConfirmationKey {
    /// A key that is used with that algorithm.
    ///
    /// # Errors
    ///
    /// If the algorithm is not one of the key's (RFC 7518 §3.3 to §3.5).
    pub fn new(key: PublicKey, alg: SigAlg) -> Result<Self, WitError> {
        let misfit = || WitError::Confirmation(JwkError::Algorithm(format!("{:?}", alg.jws_name())));
        Ok(Self { key: key.limited_to(alg).map_err(|_| misfit())?, alg })
    }

    /// A key with its usual algorithm: ES256, ES384, ES512 or RS256.
    ///
    /// # Errors
    ///
    /// If the key is limited to another.
    pub fn usual(key: PublicKey) -> Result<Self, WitError> {
        let alg = key.limit().unwrap_or_else(|| SigAlg::for_x509(&key));
        Self::new(key, alg)
    }

    /// The key, limited to its algorithm.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The algorithm.
    pub fn alg(&self) -> SigAlg {
        self.alg
    }

    pub(super) fn to_cnf(&self) -> Cnf {
        Cnf { jwk: jwk::Members::of(&self.key) }
    }

    pub(super) fn of_claims(claims: &Map<String, Value>) -> Result<Self, WitError> {
        let cnf = claims.get("cnf").and_then(Value::as_object).ok_or(WitError::NoConfirmation)?;
        let jwk = cnf.get("jwk").filter(|jwk| jwk.is_object()).ok_or(WitError::NoConfirmation)?;
        if cnf.contains_key("jwe") || cnf.contains_key("jku") {
            return Err(WitError::NoConfirmation);
        }
        let key = jwk::from_jwk(jwk).map_err(WitError::Confirmation)?;
        let alg = key.limit().ok_or(WitError::NoAlgorithm)?;
        Ok(Self { key, alg })
    }
}

impl PartialEq for ConfirmationKey {
    fn eq(&self, other: &Self) -> bool {
        (&self.key, self.alg) == (&other.key, other.alg)
    }
}

impl Eq for ConfirmationKey {}

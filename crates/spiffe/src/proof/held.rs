//! A WIT-SVID with its key, as a client holds it.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::SpiffeId;
use crate::jwk::{self, JwkError};
use crate::key::Signer;
use crate::wit::{Wit, WitError};

/// Why a WIT-SVID cannot be presented.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeldError {
    /// The token is malformed.
    #[error(transparent)]
    Wit(#[from] WitError),
    /// The private key is malformed.
    #[error("the private key cannot be used: {0}")]
    Jwk(#[from] JwkError),
    /// The key is not that of the token.
    #[error("the key is not the one that the WIT-SVID is bound to, or is for another algorithm")]
    OtherKey,
    /// The token has expired, and its key with it.
    #[error("it has expired, and its key with it: fetch a new one")]
    Expired,
}

/// A WIT-SVID and the key that it is bound to. The key signs proofs for this token and until it expires (creds §9.4).
#[derive(Clone)]
pub struct HeldWit {
    wit: Wit,
    key: Arc<dyn Signer>,
}

impl HeldWit {
    /// A token with its key.
    ///
    /// # Errors
    ///
    /// If the token is malformed or is bound to another key.
    pub fn new(token: &str, key: Arc<dyn Signer>) -> Result<Self, HeldError> {
        let wit = Wit::parse_unverified(token)?;
        let fits =
            key.public() == wit.confirmation().key() && key.public().supports(wit.confirmation().alg());
        if fits { Ok(Self { wit, key }) } else { Err(HeldError::OtherKey) }
    }

    /// A token with its key as the Workload API hands them out: the key is a JWK in JSON (Workload API §7.2.1).
    ///
    /// # Errors
    ///
    /// If token or key is malformed, or they do not belong together.
    pub fn from_jwk(token: &str, private_jwk: &str) -> Result<Self, HeldError> {
        let (key, alg) = jwk::from_private_jwk(private_jwk)?;
        let held = Self::new(token, Arc::new(key))?;
        match alg.is_none_or(|alg| alg == held.wit.confirmation().alg()) {
            true => Ok(held),
            false => Err(HeldError::OtherKey),
        }
    }

    /// Whom the token names.
    pub fn id(&self) -> &SpiffeId {
        self.wit.subject()
    }

    /// When it, and its key with it, stops holding.
    pub fn expires_at(&self) -> SystemTime {
        self.wit.expires_at()
    }

    pub(super) fn wit(&self) -> &Wit {
        &self.wit
    }

    /// The key, while it may be used.
    pub(super) fn key_at(&self, now: SystemTime) -> Result<&dyn Signer, HeldError> {
        if now < self.expires_at() { Ok(&*self.key) } else { Err(HeldError::Expired) }
    }
}

impl fmt::Debug for HeldWit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldWit({})", self.id())
    }
}

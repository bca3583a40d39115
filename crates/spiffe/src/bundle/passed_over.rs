//! What a reader of bundles passes over, and why: one key that cannot be used costs no other (Trust Domain and Bundle
//! §4.1.3, §4.2; X509-SVID §6.2; JWT-SVID §6.1).

use std::fmt;

use super::{Bundle, BundleError};
use crate::jwk::JwkError;
use crate::x509::CertificateError;

/// A bundle that was read, and what was not taken of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadBundle {
    /// What was read.
    pub bundle: Bundle,
    /// The keys that are not in it, in order. Worth a line in a log: their publisher meant something by them.
    pub passed_over: Vec<PassedOver>,
}

/// A key that was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// Its place in the list `keys`, from 0.
    pub index: usize,
    /// Its `kid`, if it has one; of a longer one the first 64 characters.
    pub key_id: Option<String>,
    /// Why.
    pub why: KeyProblem,
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {} of the bundle", self.index)?;
        if let Some(key_id) = &self.key_id {
            write!(f, " ({key_id:?})")?;
        }
        write!(f, " is passed over: {}", self.why)
    }
}

/// Why a key of a bundle cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum KeyProblem {
    #[error("it is no object")]
    NotAnObject,
    #[error("its member {0:?} occurs twice")]
    Twice(&'static str),
    #[error("it has no \"use\"")]
    NoUse,
    #[error("its use {0:?} is not known")]
    UnknownUse(String),
    #[error("it is for another use, {0:?}")]
    OtherUse(String),
    #[error("it has no \"kid\"")]
    NoKeyId,
    #[error("another key before it has its \"kid\"")]
    KeyIdTaken,
    #[error("{0}")]
    Jwk(JwkError),
    #[error("it has no certificate in \"x5c\"")]
    NoCertificate,
    #[error("its certificate is not base64")]
    Base64,
    #[error("its certificate cannot be read: {0}")]
    Certificate(CertificateError),
    #[error("its parameters are not those of its certificate's key")]
    OtherKey,
    #[error("it cannot be an authority: {0}")]
    Authority(BundleError),
}

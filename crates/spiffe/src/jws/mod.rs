//! JSON Web Signatures in compact form (RFC 7515 §7.1): the one mechanism under JWT-SVIDs, WIT-SVIDs and proofs of
//! possession. Nothing here is an identity; [`crate::jwt`] and [`crate::wit`] say what a token means.

mod algorithm;
mod claims;
mod compact;
mod sign;

use crate::key::SignError;

pub(crate) use claims::{moment, seconds, text};
pub use compact::Jws;
pub(crate) use sign::{Header, compact, in_jws};

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN: usize = 64 * 1024;

/// Why a JWS is refused or was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum JwsError {
    #[error("the token is {0} bytes long; at most 65,536 are accepted")]
    TooLarge(usize),
    #[error("the token is not a JWT of three parts in compact form: {0}")]
    Malformed(&'static str),
    #[error("the algorithm {0} is not one of RS256, RS384, RS512, ES256, ES384, ES512, PS256, PS384, PS512")]
    Algorithm(String),
    #[error("the header names critical extension {0}, which is not understood")]
    Critical(String),
    #[error("the token's signature does not hold")]
    Signature,
    #[error("the authority did not sign")]
    Sign(#[source] SignError),
}

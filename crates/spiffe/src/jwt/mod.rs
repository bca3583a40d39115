//! JWT-SVIDs: signing and verifying (JWT-SVID.md).
//!
//! What the text leaves open is decided so. A token expires to the second of `exp`: §4 allows a leeway there and none is
//! given, since an issuer's `exp` is the end of what it vouches for. `nbf` has a leeway of one minute, since a clock that
//! is behind must not refuse a token that was made just now. Any `crit` is refused (RFC 7515 §4.1.11), a name that occurs
//! twice in the header or the claims is refused (RFC 7519 §4), and a NumericDate may have a fraction or an exponent. The
//! ID of a trust domain, without a path, may be a subject. JWT-SVID.schema is no gate: it refuses lists of audiences.

mod bearer;
mod claims;
mod svid;

use crate::jws::JwsError;
use crate::{IdError, TrustDomain};

pub use crate::jws::MAX_TOKEN;
pub use bearer::{authorization, from_authorization};
pub use claims::{JwtSvidClaims, sign, sign_with};
pub use svid::{JwtSvid, VerifiedJwtSvid};

/// Why a JWT-SVID is refused or was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum JwtError {
    #[error(transparent)]
    Jws(#[from] JwsError),
    #[error("the type header is {0}; expected JWT or JOSE (JWT-SVID §2.3)")]
    Type(String),
    #[error("the token needs a key id, by which verifiers find the key")]
    NoKeyId,
    #[error("the token has no subject")]
    NoSubject,
    #[error("the token's subject is no SPIFFE ID: {0}")]
    Subject(IdError),
    #[error("the token has no audience")]
    NoAudience,
    #[error("expected audience in {expected:?} (audience={got:?})")]
    Audience { expected: Vec<String>, got: Vec<String> },
    #[error("the token has no expiry")]
    NoExpiry,
    #[error("\"{0}\" of the token is not a moment")]
    Moment(&'static str),
    #[error("token has expired")]
    Expired,
    #[error("token is not valid yet: is the clock right?")]
    NotYet,
    #[error("no bundle found for trust domain \"{0}\"")]
    NoBundle(TrustDomain),
    #[error("no JWT authority \"{key_id}\" found for trust domain \"{trust_domain}\"")]
    NoAuthority { key_id: String, trust_domain: TrustDomain },
    #[error("the header field is not \"Authorization: Bearer\" with one token (JWT-SVID §5.2)")]
    NotBearer,
    #[error("the channel is neither TLS nor local, and whoever reads a JWT-SVID can use it (JWT-SVID §7.3)")]
    Cleartext,
}

#[cfg(test)]
mod tests;

//! WIT-SVIDs: tokens that name a workload and the key that it has (WIT-SVID.md, Incubating, commit 665a28f).
//!
//! A WIT-SVID is not a bearer token. Three types keep that straight:
//!
//! * [`Wit`] is well formed and believed by nobody;
//! * [`VerifiedWit`] was signed by an authority of the trust domain that it names and holds now. It says who has a certain
//!   key; **it says nothing about who presented it**, and so it offers no peer identity;
//! * [`ProvenWit`](crate::proof::ProvenWit) came with a proof of possession of that key. Only the verification of a proof
//!   ([`crate::proof`]) makes one, and it alone has an `id()` to authorize by.
//!
//! ```compile_fail,E0599
//! // A token without a proof is nobody: there is no id to authorize by.
//! fn admit(peer: &spiffe::wit::VerifiedWit) -> &spiffe::SpiffeId {
//!     peer.id()
//! }
//! ```
//!
//! What the text leaves open is decided so. `exp` holds to the second (§3.4 allows a leeway, none is given); a future
//! `nbf` is refused without a leeway (§3.5 grants none), so what is issued here has an `nbf` only if the caller sets one,
//! who should date it back. `iat` never decides (§3.6). Any `aud`, also an empty list, is refused (§3.8). `cnf` has a
//! `jwk` and neither `jwe` nor `jku`; other members are passed over. No object of the claims may name a member twice, at
//! any depth. Where a longest lifespan is set and a token has no `nbf`, what is left of its life is measured instead.

mod claims;
mod confirmation;
mod issuer;
mod lifespan;
mod parsed;
mod verified;

use crate::jwk::JwkError;
use crate::jws::JwsError;
use crate::{IdError, TrustDomain};

pub use claims::{WitClaims, check_issuer, random_jti};
pub use confirmation::ConfirmationKey;
pub use issuer::WitIssuer;
pub use lifespan::Lifespan;
pub use parsed::Wit;
pub use verified::VerifiedWit;

/// The `typ` of a WIT-SVID (WIT-SVID §2.2).
pub const TYPE: &str = "wit+jwt";

/// Why a WIT-SVID is refused or was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum WitError {
    #[error(transparent)]
    Jws(#[from] JwsError),
    #[error("the type header is {0}; expected wit+jwt (WIT-SVID §2.2)")]
    Type(String),
    #[error("the token names no key id (WIT-SVID §2.1)")]
    NoKeyId,
    #[error("the token has no subject")]
    NoSubject,
    #[error("the token's subject is no SPIFFE ID: {0}")]
    Subject(IdError),
    #[error("the token has an audience, which a WIT-SVID never has: is it a JWT-SVID? (WIT-SVID §3.8)")]
    Audience,
    #[error("the token has no confirmation key: \"cnf\" with a \"jwk\" in it (WIT-SVID §3.2)")]
    NoConfirmation,
    #[error("the token's confirmation key cannot be used: {0}")]
    Confirmation(JwkError),
    #[error("the token's confirmation key names no algorithm (WIT-SVID §3.2)")]
    NoAlgorithm,
    #[error("the token has no expiry")]
    NoExpiry,
    #[error("\"{0}\" of the token is not a moment")]
    Moment(&'static str),
    #[error("token has expired")]
    Expired,
    #[error("token is not valid yet: is the clock right?")]
    NotYet,
    #[error("the token lives for longer than the {0} seconds that are accepted here")]
    Lifespan(u64),
    #[error("no bundle found for trust domain \"{0}\"")]
    NoBundle(TrustDomain),
    #[error("no WIT authority \"{key_id}\" found for trust domain \"{trust_domain}\"")]
    NoAuthority { key_id: String, trust_domain: TrustDomain },
    #[error("{0} is of another trust domain than the authority, which signs for {1}")]
    Foreign(String, TrustDomain),
    #[error(
        "the issuer {0} could be taken for one of OpenID Connect; name it without https:// (WIT-SVID §3.7)"
    )]
    Issuer(String),
    #[error("the token would expire before it begins")]
    Backwards,
}

//! Proofs that whoever presents a WIT-SVID has its key (WIT-SVID §5), for messages of HTTP.
//!
//! The drafts of the IETF that say how are not finished, so each is named here by its number and stands behind two traits:
//! a [`Prover`] adds the fields of a request, a [`ProofVerifier`] judges them.
//!
//! | protocol | draft | in |
//! |---|---|---|
//! | Workload Identity Token in HTTP | draft-ietf-wimse-workload-creds-02 §5 | [`authenticate`] |
//! | Workload Proof Token in a field of its own | draft-ietf-wimse-wpt-01 | [`wpt`] |
//! | Workload Proof Token in `Authorization` | draft-ietf-wimse-wpt-02 | [`wpt`] |
//! | HTTP message signatures, of requests and responses | draft-ietf-wimse-http-signature-06 | [`http_signature`] |
//!
//! [`authenticate`] takes the token out of a request, verifies it and has the proof judged; what it returns, a
//! [`ProvenWit`], is the one type that says who sent the message. There is no call that attaches a WIT-SVID without a
//! proof, and a request that carries one in `Authorization` is refused (WIT-SVID §5).
//!
//! ```
//! use std::sync::Arc;
//! use std::time::{Duration, SystemTime};
//!
//! use spiffe::bundle::Bundle;
//! use spiffe::key::{KeyType, PrivateKey, Signer};
//! use spiffe::proof::http::{Channel, Request};
//! use spiffe::proof::wpt::{WptBinding, WptProver, WptVerifier};
//! use spiffe::proof::{Audiences, HeldWit, Prover, ReplayMemory, authenticate};
//! use spiffe::wit::{ConfirmationKey, Lifespan, WitClaims, WitIssuer};
//! use spiffe::{SpiffeId, TrustDomain};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
//! let domain = TrustDomain::parse("example.org")?;
//! let issuer = WitIssuer::new(domain.clone(), Arc::new(PrivateKey::generate(KeyType::EcP256)?))?;
//! let mut bundle = Bundle::new(domain.clone());
//! bundle.push_wit(issuer.authority())?;
//!
//! // The client has a WIT-SVID and its key, and adds both of its fields to a request.
//! let key = Arc::new(PrivateKey::generate(KeyType::EcP256)?);
//! let token = issuer.issue(&WitClaims {
//!     subject: SpiffeId::new(&domain, "/web")?,
//!     confirmation: ConfirmationKey::usual(key.public().clone())?,
//!     expires_at: now + Duration::from_secs(3600),
//!     not_before: None,
//!     issued_at: Some(now),
//!     issuer: None,
//!     jti: None,
//! })?;
//! let held = HeldWit::new(&token, key)?;
//! let request =
//!     Request { method: "GET", target: "/orders?all", fields: &[], body: b"", channel: Channel::Tls };
//! let prover = WptProver::new(WptBinding::ProofTokenField);
//! let added = prover.present(&held, &request, "https://shop.example.org/orders", now)?;
//!
//! // The server knows under which names it is reached, and who the client is.
//! let fields: Vec<(&str, &str)> = added.iter().map(|(name, value)| (*name, value.as_str())).collect();
//! let request = Request { fields: &fields, ..request };
//! let audiences = Audiences::default().origin("https://shop.example.org")?;
//! let verifier =
//!     WptVerifier::new(WptBinding::ProofTokenField, audiences, Arc::new(ReplayMemory::new(10_000)));
//! let peer = authenticate(&request, &bundle, Lifespan::AsIssued, &verifier, now)?;
//! assert_eq!(peer.id().as_str(), "spiffe://example.org/web");
//! assert!(authenticate(&request, &bundle, Lifespan::AsIssued, &verifier, now).is_err(), "a proof holds once");
//! # Ok(())
//! # }
//! ```

mod answer;
mod audience;
mod authenticate;
mod error;
mod hash;
mod held;
pub mod http;
pub mod http_signature;
mod presented;
mod protocol;
mod proven;
mod replay;
pub mod wpt;

pub use answer::Answer;
pub use audience::{AudienceError, Audiences, audience_of};
pub use authenticate::authenticate;
pub use error::ProofError;
pub use held::{HeldError, HeldWit};
pub use presented::WIT_FIELD;
pub use protocol::{ProofVerifier, Prover};
pub use proven::ProvenWit;
pub use replay::{DangerAcceptReplays, ProofName, ReplayCache, ReplayError, ReplayMemory};

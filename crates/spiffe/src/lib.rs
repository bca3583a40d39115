//! SPIFFE identities, documents and bundles: parse, build, verify. No I/O, no clock: time is passed in.
//!
//! What was parsed is believed by its type: a [`SpiffeId`] is canonical, a [`x509::Csr`] was signed by the key it
//! carries, and a [`x509::VerifiedSvid`] or [`jwt::VerifiedJwtSvid`] comes out of verification alone. Every parser
//! bounds the size, depth and count of what it reads, and refuses what is not canonical rather than mending it.
//!
//! # Identities
//!
//! ```
//! use spiffe::{SpiffeId, TrustDomain};
//!
//! # fn main() -> Result<(), spiffe::IdError> {
//! let domain = TrustDomain::parse("example.org")?;
//! let web = SpiffeId::new(&domain, "/ns/shop/sa/web")?;
//! assert_eq!(web.as_str(), "spiffe://example.org/ns/shop/sa/web");
//! assert!(web.member_of(&domain));
//! assert!(SpiffeId::parse("spiffe://Example.org/web").is_err());
//! # Ok(())
//! # }
//! ```
//!
//! # X.509-SVIDs
//!
//! An authority signs the key of a request, and whoever holds the bundle verifies the outcome.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::{Duration, SystemTime};
//!
//! use spiffe::bundle::{Bundle, X509Authority};
//! use spiffe::key::{KeyType, PrivateKey};
//! use spiffe::x509::{CaSubject, CaTemplate, Csr, LeafTemplate, X509Issuer, X509Svid};
//! use spiffe::{SpiffeId, TrustDomain};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
//! let (hour, day) = (Duration::from_secs(3_600), Duration::from_secs(86_400));
//! let domain = TrustDomain::parse("example.org")?;
//!
//! // The authority: a root and its key.
//! let root_key = Arc::new(PrivateKey::generate(KeyType::EcP256)?);
//! let root = CaTemplate::new(domain.clone(), CaSubject::default(), now, now + day).self_sign(&*root_key)?;
//! let issuer = X509Issuer::new(root.clone(), vec![], root_key)?;
//!
//! // The workload asks with a request that proves that it has the key.
//! let key = PrivateKey::generate(KeyType::EcP256)?;
//! let request = Csr::parse(&Csr::build(&key, None, &[])?)?;
//! let id = SpiffeId::new(&domain, "/web")?;
//! let leaf = LeafTemplate::new(id.clone(), request.public_key().clone(), now, now + hour).issue(&issuer)?;
//!
//! // Anyone who has the bundle verifies it.
//! let mut bundle = Bundle::new(domain);
//! bundle.push_x509(X509Authority { certificate: root, tainted: false })?;
//! let verified = X509Svid::of(issuer.chain_for(leaf))?.verify(&bundle, now)?;
//! assert_eq!(verified.id(), &id);
//! # Ok(())
//! # }
//! ```
//!
//! # JWT-SVIDs and the bundle document
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use spiffe::bundle::{Bundle, JwtAuthority};
//! use spiffe::jwt::{self, JwtSvid, JwtSvidClaims};
//! use spiffe::key::{KeyType, PrivateKey, Signer};
//! use spiffe::{SpiffeId, TrustDomain};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
//! let domain = TrustDomain::parse("example.org")?;
//! let key = PrivateKey::generate(KeyType::EcP256)?;
//! let claims = JwtSvidClaims {
//!     subject: SpiffeId::new(&domain, "/web")?,
//!     audience: vec!["db".to_owned()],
//!     issued_at: now,
//!     expires_at: now + Duration::from_secs(300),
//!     issuer: None,
//!     jti: None,
//! };
//! let token = jwt::sign(&claims, "key-1", &key)?;
//!
//! // What a trust domain publishes, and another reads.
//! let mut published = Bundle::new(domain.clone());
//! let public_key = key.public().clone();
//! published.push_jwt(JwtAuthority { key_id: "key-1".to_owned(), public_key, expires_at: None, tainted: false })?;
//! let bundle = Bundle::parse_spiffe_json(domain, &published.to_spiffe_json())?;
//!
//! assert_eq!(JwtSvid::verify(&token, &bundle, &["db"], now)?.id(), &claims.subject);
//! assert!(JwtSvid::verify(&token, &bundle, &["mail"], now).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! # What it does not do
//!
//! Certificates on Ed25519 or post-quantum keys are refused.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod bundle;
pub mod endpoint;
pub mod id;
mod json;
pub mod jwk;
pub mod jws;
pub mod jwt;
pub mod key;
pub mod pem;
pub mod proof;
pub mod wit;
pub mod x509;

pub use bundle::{Bundle, BundleSet};
pub use id::{IdError, SpiffeId, TrustDomain};

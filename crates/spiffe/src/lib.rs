//! SPIFFE identities, documents and bundles: parse, build, verify. No I/O, no clock, no global state: time is passed in.
//!
//! # SPIFFE in one screen
//!
//! Workloads are named by **SPIFFE IDs**, `spiffe://example.org/shop/web`. The part up to the path is the **trust domain**:
//! whoever runs it says who is who in it, by its **authorities**, which sign **SVIDs**, documents that bind an ID to a key
//! or to a moment:
//!
//! | document | what it is | presented |
//! |---|---|---|
//! | [X.509-SVID](x509) | a certificate with the ID as its one URI | in a TLS handshake, which proves the key |
//! | [JWT-SVID](jwt) | a token for one audience, short-lived | as a bearer token, where TLS ends on the way |
//! | [WIT-SVID](wit) | a token that names a key | with a [proof] made by that key |
//!
//! The public halves of a trust domain's authorities are its **[bundle]**. To verify an SVID is to look up the
//! bundle of *the trust domain that the SVID itself names*, and to check the signature by nothing else. A key that leaves
//! the bundle is revoked. Trust domains that trust each other fetch each other's bundles from [endpoints](endpoint);
//! workloads get theirs, with their SVIDs, from the Workload API.
//!
//! What was parsed is believed by its type: a [`SpiffeId`] is canonical, a [`x509::Csr`] was signed by the key it carries,
//! a [`x509::VerifiedSvid`], a [`jwt::VerifiedJwtSvid`] and a [`proof::ProvenWit`] come out of verification alone, and a
//! [`Bundle`] always knows whose it is. Every parser bounds the size, depth and count of what it reads, and refuses what is
//! not canonical rather than mending it. [`decisions`] tells what happens where the standards are silent or others differ.
//!
//! # Parse an ID
//!
//! ```
//! use spiffe::{SpiffeId, TrustDomain};
//!
//! # fn main() -> Result<(), spiffe::IdError> {
//! let domain = TrustDomain::parse("example.org")?;
//! let web = SpiffeId::new(&domain, "/shop/web")?;
//! assert_eq!(web.as_str(), "spiffe://example.org/shop/web");
//! assert_eq!(SpiffeId::parse("spiffe://example.org/shop/web")?, web);
//! assert!(web.member_of(&domain));
//! assert!(SpiffeId::parse("spiffe://Example.org/shop/../web").is_err());
//! # Ok(())
//! # }
//! ```
//!
//! # Issue an SVID from a test authority
//!
//! ```
//! use std::sync::Arc;
//! use std::time::{Duration, SystemTime};
//!
//! use spiffe::key::{KeyType, PrivateKey};
//! use spiffe::x509::{CaSubject, CaTemplate, Csr, LeafTemplate, X509Issuer};
//! use spiffe::{SpiffeId, TrustDomain};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
//! let (hour, day) = (Duration::from_secs(3_600), Duration::from_secs(86_400));
//! let domain = TrustDomain::parse("example.org")?;
//!
//! // The authority: a root and its key. It signs for its own trust domain only.
//! let root_key = Arc::new(PrivateKey::generate(KeyType::EcP256)?);
//! let root = CaTemplate::new(domain.clone(), CaSubject::default(), now, now + day).self_sign(&*root_key)?;
//! let issuer = X509Issuer::new(root, vec![], root_key)?;
//!
//! // The workload asks with a request that proves that it has the key.
//! let key = PrivateKey::generate(KeyType::EcP256)?;
//! let request = Csr::parse(&Csr::build(&key, None, &[])?)?;
//! let id = SpiffeId::new(&domain, "/shop/web")?;
//! let leaf = LeafTemplate::new(id, request.public_key().clone(), now, now + hour).issue(&issuer)?;
//! assert_eq!(leaf.uri_sans(), ["spiffe://example.org/shop/web"]);
//!
//! let elsewhere = SpiffeId::parse("spiffe://other.org/shop/web")?;
//! assert!(LeafTemplate::new(elsewhere, request.public_key().clone(), now, now + hour).issue(&issuer).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! # Verify a peer
//!
//! ```
//! # use std::sync::Arc;
//! # use std::time::{Duration, SystemTime};
//! # use spiffe::key::{KeyType, PrivateKey, Signer};
//! # use spiffe::x509::{CaSubject, CaTemplate, LeafTemplate, X509Issuer};
//! # use spiffe::{SpiffeId, TrustDomain};
//! use spiffe::bundle::{Bundle, BundleSet};
//! use spiffe::x509::X509Svid;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
//! # let day = Duration::from_secs(86_400);
//! # let domain = TrustDomain::parse("example.org")?;
//! # let root_key = Arc::new(PrivateKey::generate(KeyType::EcP256)?);
//! # let root = CaTemplate::new(domain.clone(), CaSubject::default(), now, now + day).self_sign(&*root_key)?;
//! # let pem = spiffe::pem::encode(spiffe::pem::CERTIFICATE, root.der());
//! # let issuer = X509Issuer::new(root, vec![], root_key)?;
//! # let key = PrivateKey::generate(KeyType::EcP256)?.public().clone();
//! # let leaf = LeafTemplate::new(SpiffeId::new(&domain, "/shop/web")?, key, now, now + day).issue(&issuer)?;
//! # let presented = vec![leaf.der().to_vec()];
//! // What is trusted, each bundle under the name of its trust domain.
//! let bundles: BundleSet = [Arc::new(Bundle::parse_pem(domain, &pem)?)].into_iter().collect();
//!
//! // What a peer presented, leaf first. Until it is verified it names nobody.
//! let verified = X509Svid::parse_chain(presented)?.verify(&bundles, now)?;
//! let allowed = SpiffeId::parse("spiffe://example.org/shop/web")?;
//! assert_eq!(verified.id(), &allowed);
//! # Ok(())
//! # }
//! ```
//!
//! Tokens are verified in the same way: [`jwt::JwtSvid::verify`], and [`proof::authenticate`] for those with a proof. In a
//! TLS handshake the crate `spiffe-tls` does it.
//!
//! # What it does not do
//!
//! It opens no socket and reads no file. Certificates on Ed25519 or post-quantum keys are refused.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod bundle;
pub mod decisions;
pub mod endpoint;
pub mod id;
mod json;
pub mod jwk;
pub mod jws;
pub mod jwt;
pub mod key;
pub mod misuse;
pub mod pem;
pub mod proof;
pub mod wit;
pub mod x509;

pub use bundle::{Bundle, BundleSet};
pub use id::{IdError, SpiffeId, TrustDomain};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

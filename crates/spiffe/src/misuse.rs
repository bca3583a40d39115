//! The worst mistakes, which do not compile. Each stands below a program that is right and differs in that line alone; the
//! documentation's tests compile the one and check that the other does not. There is nothing to call in this module.
//!
//! # An ID from an unchecked string
//!
//! An ID is parsed; there is no other way to one.
//!
//! ```
//! fn id(text: String) -> Option<spiffe::SpiffeId> {
//!     spiffe::SpiffeId::parse(&text).ok()
//! }
//! ```
//!
//! ```compile_fail,E0308
//! fn id(text: String) -> Option<spiffe::SpiffeId> {
//!     Some(text)
//! }
//! ```
//!
//! ```compile_fail,E0423
//! fn id(text: String) -> Option<spiffe::SpiffeId> {
//!     Some(spiffe::SpiffeId(text.into()))
//! }
//! ```
//!
//! ```compile_fail,E0277
//! fn id(text: String) -> Option<spiffe::SpiffeId> {
//!     Some(text.into())
//! }
//! ```
//!
//! # A parsed SVID where a verified one is wanted
//!
//! What a peer presented names nobody before it is verified.
//!
//! ```
//! # use spiffe::{bundle::BundleSet, x509::{VerifiedSvid, X509Svid}};
//! fn admit(_: &VerifiedSvid) {}
//!
//! fn peer(svid: X509Svid, bundles: &BundleSet, now: std::time::SystemTime) {
//!     if let Ok(svid) = svid.verify(bundles, now) {
//!         admit(&svid);
//!     }
//! }
//! ```
//!
//! ```compile_fail,E0308
//! # use spiffe::{bundle::BundleSet, x509::{VerifiedSvid, X509Svid}};
//! fn admit(_: &VerifiedSvid) {}
//!
//! fn peer(svid: X509Svid, bundles: &BundleSet, now: std::time::SystemTime) {
//!     admit(&svid);
//! }
//! ```
//!
//! # A template with two URIs
//!
//! A leaf's template holds one ID, and there is no way to add another.
//!
//! ```
//! # use std::time::SystemTime;
//! # use spiffe::{SpiffeId, key::PublicKey, x509::LeafTemplate};
//! fn leaf(one: SpiffeId, two: SpiffeId, key: PublicKey, from: SystemTime, to: SystemTime) -> LeafTemplate {
//!     LeafTemplate::new(one, key, from, to)
//! }
//! ```
//!
//! ```compile_fail,E0308
//! # use std::time::SystemTime;
//! # use spiffe::{SpiffeId, key::PublicKey, x509::LeafTemplate};
//! fn leaf(one: SpiffeId, two: SpiffeId, key: PublicKey, from: SystemTime, to: SystemTime) -> LeafTemplate {
//!     LeafTemplate::new([one, two], key, from, to)
//! }
//! ```
//!
//! ```compile_fail,E0451
//! # use std::time::SystemTime;
//! # use spiffe::{SpiffeId, key::PublicKey, x509::LeafTemplate};
//! fn leaf(one: SpiffeId, two: SpiffeId, key: PublicKey, from: SystemTime, to: SystemTime) -> LeafTemplate {
//!     LeafTemplate { id: two, ..LeafTemplate::new(one, key, from, to) }
//! }
//! ```
//!
//! # An authority that signs another's leaf
//!
//! [`LeafTemplate::issue`](crate::x509::LeafTemplate::issue) refuses an ID of another trust domain than the issuer's when it
//! runs. What must not be is a way around it: the key cannot be had from an issuer.
//!
//! ```
//! # use spiffe::x509::{Certificate, IssueError, LeafTemplate, X509Issuer};
//! fn sign(issuer: &X509Issuer, leaf: &LeafTemplate) -> Result<Certificate, IssueError> {
//!     leaf.issue(issuer)
//! }
//! ```
//!
//! ```compile_fail,E0616
//! # use spiffe::x509::{Certificate, IssueError, LeafTemplate, X509Issuer};
//! fn sign(issuer: &X509Issuer, leaf: &LeafTemplate) -> Result<Certificate, IssueError> {
//!     let _ = &issuer.signer; leaf.issue(issuer)
//! }
//! ```
//!
//! # A bundle without its trust domain
//!
//! A bundle is of a trust domain from its beginning, and stays so.
//!
//! ```
//! fn empty(of: spiffe::TrustDomain) -> spiffe::Bundle {
//!     spiffe::Bundle::new(of)
//! }
//! ```
//!
//! ```compile_fail,E0599
//! fn empty(of: spiffe::TrustDomain) -> spiffe::Bundle {
//!     spiffe::Bundle::default()
//! }
//! ```
//!
//! ```
//! fn renumbered(mut bundle: spiffe::Bundle, other: spiffe::TrustDomain) -> spiffe::Bundle {
//!     bundle.sequence = 7;
//!     bundle
//! }
//! ```
//!
//! ```compile_fail,E0616
//! fn renumbered(mut bundle: spiffe::Bundle, other: spiffe::TrustDomain) -> spiffe::Bundle {
//!     bundle.trust_domain = other;
//!     bundle
//! }
//! ```
//!
//! # A verified WIT-SVID as a peer
//!
//! It says nothing about who presented it; one whose possession was proven does.
//!
//! ```
//! fn peer(token: &spiffe::proof::ProvenWit) -> &spiffe::SpiffeId {
//!     token.id()
//! }
//! ```
//!
//! ```compile_fail,E0599
//! fn peer(token: &spiffe::wit::VerifiedWit) -> &spiffe::SpiffeId {
//!     token.id()
//! }
//! ```

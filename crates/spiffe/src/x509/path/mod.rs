//! Path validation by RFC 5280 §6.1, over the few authorities of one bundle.
//!
//! A path is built from the leaf upwards, through intermediates in any order, until an authority signed its last
//! certificate. Each certificate that is taken into it is checked before its key is used:
//!
//! - names are compared byte by byte, as Go compares them and as issuers copy them;
//! - its time: the first second and the whole of the last one count (§4.1.2.5);
//! - `cA`, `keyCertSign` where there is a key usage, and the path length, which intermediates named as their issuers do
//!   not use up (§6.1.4 (k) to (n));
//! - critical extensions that are not understood are refused in every certificate (§6.1.4 (o), §6.1.5 (f));
//! - name constraints hold for every certificate below, but for intermediates named as their issuers (§6.1.3 (b), (c)).
//!   The forms that are compared are URI, DNS, email, IP address and directory name; a name of another form that is
//!   constrained is refused;
//! - policies: all are welcome and none is asked for, so certificate policies, mappings and the inhibition of
//!   `anyPolicy` change nothing. An authority that requires an explicit policy is refused, since no tree of policies is
//!   kept (§6.1.3 (f));
//! - extended key usage: where it is there it has to name a side of TLS or `anyExtendedKeyUsage`, and what an
//!   intermediate or an authority leaves away is gone for what is below it, as Go and webpki have it. Where the caller
//!   says which side the peer stands on, that side must be left.
//!
//! Authorities are judged like intermediates: one that has expired or may not sign roots nothing, and its own
//! constraints count. It need not be self-signed (X509-SVID §6.1).
//!
//! - revocation: where the caller brings lists ([`crate::x509::Revocation`]), what an issuer revoked is refused, and
//!   what it says nothing of as the caller chose. An authority is revoked by taking it out of the bundle.
//!
//! The work is bounded: [`MAX_SIGNATURES`] signatures and [`MAX_COMPARISONS`] comparisons of names for each chain,
//! whatever the chain is made of.

mod admission;
mod build;
mod constraints;
mod directory;
mod fault;
mod host;
mod mailbox;

pub use fault::{PathError, PathFault, Position};

pub(super) use admission::dotted;
pub(super) use build::Judge;
pub(super) use constraints::permits;
pub(super) use host::uri_within;

/// The most signatures that are verified for one chain.
pub const MAX_SIGNATURES: u32 = 100;
/// The most comparisons with name constraints that are made for one chain.
pub const MAX_COMPARISONS: u32 = 250_000;

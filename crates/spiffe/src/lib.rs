//! SPIFFE identities, documents and bundles: parse, build, verify. No I/O, no clock.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod bundle;
pub mod id;
mod json;
pub mod jwk;
pub mod jwt;
pub mod key;
pub mod pem;
pub mod x509;

pub use bundle::{Bundle, BundleSet};
pub use id::{IdError, SpiffeId, TrustDomain};

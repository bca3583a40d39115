//! SPIFFE identities, documents and bundles: parse, build, verify. No I/O, no clock.

pub mod id;
pub mod key;

pub use id::{IdError, SpiffeId, TrustDomain};

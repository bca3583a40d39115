//! rustls over SPIFFE documents: verifiers, certificate resolvers, and configurations without resumption.
//!
//! Bundles and identities are looked at for each handshake, so a rotation or a changed bundle holds from the next one
//! on; and no session outlives its check, since none is resumed. ALPN is left to the caller.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod authorize;
mod config;
mod identity;
mod key;
mod verify;

pub use authorize::Authorize;
pub use config::{ClientAuth, TlsError, client_config, server_config};
pub use identity::{Identity, IdentityError, IdentitySource};
pub use verify::{BundleHandle, Now, peer_svid};

//! Node attestation by a certificate that the node was given beforehand: it shows the chain and proves that it has
//! the private key by signing two nonces, the server's and its own.
//!
//! Wire, identities and selectors are those of SPIRE 1.16.

mod agent;
pub(crate) mod chain;
mod key;
pub(crate) mod leaf;
pub(crate) mod proof;
mod san;
pub(crate) mod server;
mod template;
mod wire;

pub use crate::path_template::TemplateError;
pub use crate::workload_api::{AddressError, WorkloadApi};
pub use agent::{Agent, CredentialError, Credentials, Source};
pub use server::{Configuration, ConfigurationFault, OwnAuthorities, Server};

const NAME: &str = "x509pop";

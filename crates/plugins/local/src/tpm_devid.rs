//! Node attestation by a TPM: a DevID certificate (IEEE 802.1AR) that the node was given, and the TPM's proof that the
//! certificate's key is in it, below an endorsement key that the TPM's maker vouches for.
//!
//! Wire, identities and selectors are those of SPIRE 1.16.

mod agent;
mod residency;
mod server;
mod session;
mod wire;

pub use agent::{Agent, AgentSettings, CredentialError, Passwords, PublicFault};
pub use server::{Configuration, ConfigurationFault, Server};

const NAME: &str = "tpm_devid";

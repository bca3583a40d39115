//! Node attestation by an SSH host certificate that the node was given beforehand: it shows the certificate and proves
//! that it has the private key by signing two nonces, the server's and its own.
//!
//! Wire and identities are those of SPIRE 1.16; there are no selectors. Certificates are those of OpenSSH's
//! `PROTOCOL.certkeys`, of RSA, ECDSA and Ed25519 keys.

mod agent;
mod certificate;
mod line;
mod modulo;
mod private_key;
mod public_key;
mod read;
mod server;
mod template;
mod wire;

pub use crate::path_template::TemplateError;
pub use agent::{Agent, CredentialError};
pub use certificate::CertificateFault;
pub use line::LineFault;
pub use private_key::KeyFault;
pub use public_key::PublicKeyFault;
pub use read::CutShort;
pub use server::{Configuration, ConfigurationFault, Server};

const NAME: &str = "sshpop";

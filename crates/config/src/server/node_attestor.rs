//! NodeAttestor plugins of the server.

mod http_challenge;
mod sshpop;
mod tpm_devid;
mod x509pop;

pub use http_challenge::HttpChallenge;
pub use sshpop::Sshpop;
pub use tpm_devid::TpmDevid;
pub use x509pop::{X509pop, X509popMode};

pub(super) use http_challenge::read as http_challenge;
pub(super) use sshpop::read as sshpop;
pub(super) use tpm_devid::read as tpm_devid;
pub(super) use x509pop::read as x509pop;

use super::super::external::External;

/// A way for nodes to attest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeAttestor {
    /// By a token that the server gave out.
    JoinToken,
    /// By an X.509 certificate and its key.
    X509pop(X509pop),
    /// By a name, which the server asks over HTTP.
    HttpChallenge(HttpChallenge),
    /// By an SSH host certificate and its key.
    Sshpop(Sshpop),
    /// By whatever a program has agreed with its other half.
    External(External),
    /// By a DevID certificate whose key is in a TPM.
    TpmDevid(TpmDevid),
}

use std::path::PathBuf;

use super::super::super::block::Unknown;
use super::super::super::plugin::Plugin;

/// Attestation by an SSH host certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sshpop {
    /// The host's private key.
    pub host_key_path: PathBuf,
    /// The certificate for it.
    pub host_cert_path: PathBuf,
}

/// Reads the settings of NodeAttestor `sshpop`; by default the files are those of Debian's sshd.
pub(in super::super) fn read(plugin: &Plugin<'_>) -> Sshpop {
    let block = plugin.data();
    let path = |key, default: &str| {
        block.text(key).map_or_else(|| PathBuf::from(default), |given| PathBuf::from(given.value))
    };
    let settings = Sshpop {
        host_key_path: path("host_key_path", "/etc/ssh/ssh_host_rsa_key"),
        host_cert_path: path("host_cert_path", "/etc/ssh/ssh_host_rsa_key-cert.pub"),
    };
    block.finish(Unknown::Warn);
    settings
}

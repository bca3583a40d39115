use std::path::PathBuf;

use super::super::super::block::Unknown;
use super::super::super::plugin::Plugin;

/// Attestation by an X.509 certificate, and where that comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum X509pop {
    /// From files.
    Files {
        /// The key, PEM.
        private_key_path: PathBuf,
        /// The certificate, PEM; intermediates may follow it.
        certificate_path: PathBuf,
        /// More intermediates, PEM.
        intermediates_path: Option<PathBuf>,
    },
    /// From the Workload API of another agent.
    WorkloadApi {
        /// `unix:///path/to/socket` or `tcp://ip:port`.
        address: String,
    },
}

/// Reads the settings of NodeAttestor `x509pop`.
pub(in super::super) fn read(plugin: &Plugin<'_>) -> Option<X509pop> {
    let block = plugin.data();
    if let Some(socket) = block.text("spiffe_endpoint_socket") {
        for key in ["private_key_path", "certificate_path", "intermediates_path"] {
            block.no_meaning(key, "with spiffe_endpoint_socket, where certificate and key come from");
        }
        block.finish(Unknown::Warn);
        return Some(X509pop::WorkloadApi { address: socket.value });
    }
    let file = |key, why| {
        let given = block.text(key);
        if given.is_none() {
            block.required(key, why);
        }
        given.map(|given| PathBuf::from(given.value))
    };
    let private_key_path = file("private_key_path", "the key to attest with, PEM");
    let certificate_path = file("certificate_path", "the certificate to attest with, PEM");
    let intermediates_path = block.text("intermediates_path").map(|given| given.value.into());
    block.finish(Unknown::Warn);
    Some(X509pop::Files {
        private_key_path: private_key_path?,
        certificate_path: certificate_path?,
        intermediates_path,
    })
}

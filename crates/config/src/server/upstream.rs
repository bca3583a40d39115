//! What stands above the server and signs its X.509 authority.

use std::path::PathBuf;

use super::super::block::{Block, Unknown};
use super::super::external::External;
use super::super::given::Given;
use super::super::plugin::Plugin;
use super::super::problem::Problem;

/// What stands above the server and signs its X.509 authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamAuthority {
    /// A certificate and its key in files, read again each time.
    Disk {
        /// The certificate, then the intermediates above it, as PEM.
        cert_file_path: PathBuf,
        /// The key, as PEM.
        key_file_path: PathBuf,
        /// The roots, as PEM; without them the certificate is the root.
        bundle_file_path: Option<PathBuf>,
    },
    /// Another server of the same trust domain.
    Spire {
        /// Its host.
        server_address: String,
        /// Its port.
        server_port: u16,
        /// The Workload API that gives this server its identity there.
        workload_api_socket: String,
    },
    /// A program.
    External(External),
}

/// The settings of `disk`.
pub(super) fn disk(plugin: &Plugin<'_>) -> Option<UpstreamAuthority> {
    let block = plugin.data();
    let certificate =
        required(&block, "cert_file_path", "the certificate that signs this server's authority");
    let key = required(&block, "key_file_path", "the key of that certificate");
    let bundle = block.text("bundle_file_path").filter(|given| !given.value.is_empty());
    block.finish(Unknown::Warn);
    Some(UpstreamAuthority::Disk {
        cert_file_path: certificate?.value.into(),
        key_file_path: key?.value.into(),
        bundle_file_path: bundle.map(|given| given.value.into()),
    })
}

/// The settings of `spire`.
pub(super) fn spire(plugin: &Plugin<'_>) -> Option<UpstreamAuthority> {
    let block = plugin.data();
    let address = required(&block, "server_address", "the host of the server above");
    let port = required(&block, "server_port", "the port of the server above");
    let port = port.and_then(|given| port_of(&block, given));
    let socket = required(
        &block,
        "workload_api_socket",
        "the Workload API from which this server gets its identity for the server above",
    );
    let socket = socket.filter(|given| {
        let absolute = given.value.starts_with('/');
        if !absolute {
            let why = "it must be the absolute path of a socket".to_owned();
            bad(&block, "workload_api_socket", given, why);
        }
        absolute
    });
    if let Some(experimental) = block.block("experimental") {
        experimental.other_platform("workload_api_named_pipe_name", "workload_api_socket");
        experimental.not_yet("require_pq_kem", "insist on a post-quantum key exchange");
        experimental.finish(Unknown::Warn);
    }
    block.finish(Unknown::Warn);
    Some(UpstreamAuthority::Spire {
        server_address: address?.value,
        server_port: port?,
        workload_api_socket: socket?.value,
    })
}

fn required(block: &Block<'_>, key: &'static str, why: &'static str) -> Option<Given<String>> {
    let given = block.text(key).filter(|given| !given.value.is_empty());
    if given.is_none() {
        block.required(key, why);
    }
    given
}

fn port_of(block: &Block<'_>, given: Given<String>) -> Option<u16> {
    let port = given.value.parse().ok().filter(|port| *port > 0);
    if port.is_none() {
        bad(block, "server_port", &given, "it must be a port, 1 to 65535".to_owned());
    }
    port
}

fn bad(block: &Block<'_>, key: &'static str, given: &Given<String>, why: String) {
    let (key, value) = (key.to_owned(), given.value.clone());
    block.mistake(given.place.clone(), Problem::BadValue { key, value, why });
}

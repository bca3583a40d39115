//! Which plugins a server has, and which of them are there.

use std::path::PathBuf;

use super::super::block::{Block, Unknown};
use super::super::external::External;
use super::super::plugin::{Known, Plugin, plugins};
use super::super::problem::Notice;
use super::node_attestor::{NodeAttestor, http_challenge, sshpop, tpm_devid, x509pop};
use super::store::{self, DataStore};
use super::upstream::{self, UpstreamAuthority};

/// Where keys are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyManager {
    /// In memory, lost at each restart.
    Memory,
    /// In a file.
    Disk {
        /// The file.
        keys_path: PathBuf,
    },
    /// By a program.
    External(External),
}

/// The plugins of a server that can be run with.
pub(super) struct ServerPlugins {
    pub(super) data_store: DataStore,
    pub(super) key_manager: KeyManager,
    pub(super) node_attestors: Vec<NodeAttestor>,
    pub(super) upstream_authority: Option<UpstreamAuthority>,
    pub(super) unique_ids: bool,
    pub(super) notifiers: Vec<External>,
    pub(super) bundle_publishers: Vec<External>,
}

const fn there(kind: &'static str, name: &'static str) -> Known {
    Known { kind, name, would: None }
}

const fn later(kind: &'static str, name: &'static str, would: &'static str) -> Known {
    Known { kind, name, would: Some(would) }
}

const KMS: &str = "keep keys in a key management service";
const UPSTREAM: &str = "have the trust domain's authority signed by an authority above it";
const PUBLISH: &str = "publish the bundle for others to fetch";

/// The plugins of SPIRE 1.16's server.
pub(crate) const KNOWN: [Known; 33] = [
    there("DataStore", "sql"),
    there("KeyManager", "disk"),
    there("KeyManager", "memory"),
    later("KeyManager", "aws_kms", KMS),
    later("KeyManager", "gcp_kms", KMS),
    later("KeyManager", "azure_key_vault", KMS),
    later("KeyManager", "hashicorp_vault", KMS),
    there("NodeAttestor", "join_token"),
    there("NodeAttestor", "x509pop"),
    later("NodeAttestor", "aws_iid", "attest EC2 instances by their identity document"),
    later("NodeAttestor", "azure_msi", "attest Azure machines by a managed identity token"),
    later("NodeAttestor", "azure_imds", "attest Azure machines by their attested document"),
    later("NodeAttestor", "gcp_iit", "attest Compute Engine instances by their identity token"),
    there("NodeAttestor", "http_challenge"),
    later("NodeAttestor", "k8s_psat", "attest Kubernetes nodes by a projected service account token"),
    there("NodeAttestor", "sshpop"),
    there("NodeAttestor", "tpm_devid"),
    there("UpstreamAuthority", "disk"),
    later("UpstreamAuthority", "aws_pca", UPSTREAM),
    later("UpstreamAuthority", "awssecret", UPSTREAM),
    later("UpstreamAuthority", "gcp_cas", UPSTREAM),
    later("UpstreamAuthority", "vault", UPSTREAM),
    there("UpstreamAuthority", "spire"),
    later("UpstreamAuthority", "cert-manager", UPSTREAM),
    later("UpstreamAuthority", "ejbca", UPSTREAM),
    later("Notifier", "gcs_bundle", PUBLISH),
    later("Notifier", "k8sbundle", PUBLISH),
    later("BundlePublisher", "aws_s3", PUBLISH),
    later("BundlePublisher", "gcp_cloudstorage", PUBLISH),
    later("BundlePublisher", "azure_blob", PUBLISH),
    later("BundlePublisher", "k8s_configmap", PUBLISH),
    later("BundlePublisher", "aws_rolesanywhere_trustanchor", PUBLISH),
    there("CredentialComposer", "uniqueid"),
];

/// Reads the `plugins` block.
pub(super) fn read(top: &Block<'_>) -> Option<ServerPlugins> {
    let plugins = plugins(top, &KNOWN);
    if !top.fields("plugins").is_empty() {
        plugins.count(top, "DataStore", ("exactly one", 1..=1), &KNOWN);
        plugins.count(top, "KeyManager", ("exactly one", 1..=1), &KNOWN);
        plugins.count(top, "UpstreamAuthority", ("at most one", 0..=1), &KNOWN);
    }
    let mut data_store = None;
    let mut key_manager = None;
    let mut node_attestors = Vec::new();
    let mut upstream_authority = None;
    let mut unique_ids = false;
    let (mut notifiers, mut bundle_publishers) = (Vec::new(), Vec::new());
    for plugin in &plugins.list {
        if let Some(program) = plugin.external().cloned() {
            match plugin.kind {
                "KeyManager" => key_manager = Some(KeyManager::External(program)),
                "NodeAttestor" => node_attestors.push(NodeAttestor::External(program)),
                "UpstreamAuthority" => upstream_authority = Some(UpstreamAuthority::External(program)),
                "Notifier" => notifiers.push(program),
                _ => bundle_publishers.push(program),
            }
            continue;
        }
        match (plugin.kind, plugin.name) {
            ("DataStore", "sql") => data_store = store::read(plugin),
            ("KeyManager", "disk") => key_manager = disk(plugin),
            ("KeyManager", _) => {
                plugin.no_settings(Unknown::Warn);
                let why = "each restart makes new authorities, and agents must attest again";
                top.warn(plugin.place.clone(), Notice::KeysInMemory(why));
                key_manager = Some(KeyManager::Memory);
            }
            ("NodeAttestor", "join_token") => {
                plugin.no_settings(Unknown::Refuse);
                node_attestors.push(NodeAttestor::JoinToken);
            }
            ("NodeAttestor", "http_challenge") => {
                node_attestors.push(NodeAttestor::HttpChallenge(http_challenge(plugin)));
            }
            ("NodeAttestor", "sshpop") => node_attestors.extend(sshpop(plugin).map(NodeAttestor::Sshpop)),
            ("NodeAttestor", "tpm_devid") => {
                node_attestors.extend(tpm_devid(plugin).map(NodeAttestor::TpmDevid));
            }
            ("UpstreamAuthority", "disk") => upstream_authority = upstream::disk(plugin),
            ("UpstreamAuthority", _) => upstream_authority = upstream::spire(plugin),
            ("CredentialComposer", _) => {
                plugin.no_settings(Unknown::Refuse);
                unique_ids = true;
            }
            _ => node_attestors.extend(x509pop(plugin).map(NodeAttestor::X509pop)),
        }
    }
    Some(ServerPlugins {
        data_store: data_store?,
        key_manager: key_manager?,
        node_attestors,
        upstream_authority,
        unique_ids,
        notifiers,
        bundle_publishers,
    })
}

fn disk(plugin: &Plugin<'_>) -> Option<KeyManager> {
    let block = plugin.data();
    let keys_path = block.text("keys_path");
    if keys_path.is_none() {
        block.required("keys_path", "the file that keys are kept in");
    }
    block.finish(Unknown::Warn);
    keys_path.map(|given| KeyManager::Disk { keys_path: given.value.into() })
}

//! Which plugins an agent has, and which of them are there.

use std::path::PathBuf;

use super::super::block::{Block, Unknown};
use super::super::external::External;
use super::super::plugin::{Known, Plugin, plugins};
use super::super::problem::Notice;
use super::node_attestor::{NodeAttestor, Password, http_challenge, sshpop, tpm_devid, x509pop};
use super::workload::{self, WorkloadAttestor};

/// Where keys are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyManager {
    /// In memory, lost at each restart.
    Memory,
    /// In a folder.
    Disk {
        /// The folder.
        directory: PathBuf,
    },
    /// In a TPM.
    Tpm(TpmKeys),
    /// By a program.
    External(External),
}

/// Keys in a TPM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TpmKeys {
    /// The device or socket of the TPM; the only device of the machine unless set.
    pub tpm_device_path: Option<PathBuf>,
    /// The folder of the file with what the TPM has encrypted.
    pub directory: PathBuf,
    /// The password of the owner hierarchy.
    pub owner_hierarchy_password: Password,
}

/// The plugins of an agent that can be run with.
pub(super) struct AgentPlugins {
    pub(super) key_manager: KeyManager,
    pub(super) node_attestor: NodeAttestor,
    pub(super) workload_attestors: Vec<WorkloadAttestor>,
}

const fn there(kind: &'static str, name: &'static str) -> Known {
    Known { kind, name, would: None }
}

const fn later(kind: &'static str, name: &'static str, would: &'static str) -> Known {
    Known { kind, name, would: Some(would) }
}

/// The plugins of SPIRE 1.16's agent, and those of ours.
pub(crate) const KNOWN: [Known; 21] = [
    there("KeyManager", "disk"),
    there("KeyManager", "memory"),
    there("KeyManager", "tpm"),
    there("NodeAttestor", "join_token"),
    there("NodeAttestor", "x509pop"),
    later("NodeAttestor", "aws_iid", "attest by an EC2 identity document"),
    later("NodeAttestor", "azure_msi", "attest by an Azure managed identity token"),
    later("NodeAttestor", "azure_imds", "attest by an Azure attested document"),
    later("NodeAttestor", "gcp_iit", "attest by a Compute Engine identity token"),
    there("NodeAttestor", "http_challenge"),
    later("NodeAttestor", "k8s_psat", "attest by a projected service account token"),
    there("NodeAttestor", "sshpop"),
    there("NodeAttestor", "tpm_devid"),
    there("WorkloadAttestor", "unix"),
    there("WorkloadAttestor", "docker"),
    there("WorkloadAttestor", "k8s"),
    there("WorkloadAttestor", "systemd"),
    there("WorkloadAttestor", "slurm"),
    later("WorkloadAttestor", "windows", "tell workloads apart on Windows"),
    later("SVIDStore", "aws_secretsmanager", "keep SVIDs in AWS Secrets Manager"),
    later("SVIDStore", "gcp_secretmanager", "keep SVIDs in Google Secret Manager"),
];

/// Reads the `plugins` block.
pub(super) fn read(top: &Block<'_>) -> Option<AgentPlugins> {
    let plugins = plugins(top, &KNOWN);
    if !top.fields("plugins").is_empty() {
        plugins.count(top, "KeyManager", ("exactly one", 1..=1), &KNOWN);
        plugins.count(top, "NodeAttestor", ("exactly one", 1..=1), &KNOWN);
        plugins.count(top, "WorkloadAttestor", ("at least one", 1..=usize::MAX), &KNOWN);
    }
    let mut key_manager = None;
    let mut node_attestor = None;
    let mut workload_attestors = Vec::new();
    for plugin in &plugins.list {
        if let Some(program) = plugin.external().cloned() {
            match plugin.kind {
                "KeyManager" => key_manager = Some(KeyManager::External(program)),
                "NodeAttestor" => node_attestor = Some(NodeAttestor::External(program)),
                _ => workload_attestors.push(WorkloadAttestor::External(program)),
            }
            continue;
        }
        match (plugin.kind, plugin.name) {
            ("KeyManager", "disk") => key_manager = disk(plugin),
            ("KeyManager", "tpm") => key_manager = tpm(plugin),
            ("KeyManager", _) => {
                plugin.no_settings(Unknown::Warn);
                let why = "each restart must attest again, which a join token cannot do twice";
                top.warn(plugin.place.clone(), Notice::KeysInMemory(why));
                key_manager = Some(KeyManager::Memory);
            }
            ("NodeAttestor", "x509pop") => node_attestor = x509pop(plugin).map(NodeAttestor::X509pop),
            ("NodeAttestor", "http_challenge") => {
                node_attestor = Some(NodeAttestor::HttpChallenge(http_challenge(plugin)));
            }
            ("NodeAttestor", "sshpop") => node_attestor = Some(NodeAttestor::Sshpop(sshpop(plugin))),
            ("NodeAttestor", "tpm_devid") => {
                node_attestor = tpm_devid(plugin).map(NodeAttestor::TpmDevid);
            }
            ("NodeAttestor", _) => {
                plugin.no_settings(Unknown::Warn);
                node_attestor = Some(NodeAttestor::JoinToken);
            }
            _ => workload_attestors.extend(workload_attestor(plugin)),
        }
    }
    Some(AgentPlugins { key_manager: key_manager?, node_attestor: node_attestor?, workload_attestors })
}

fn workload_attestor(plugin: &Plugin<'_>) -> Option<WorkloadAttestor> {
    Some(match plugin.name {
        "k8s" => WorkloadAttestor::K8s(workload::k8s(plugin)?),
        "docker" => WorkloadAttestor::Docker(workload::docker(plugin)),
        "systemd" => {
            plugin.no_settings(Unknown::Warn);
            WorkloadAttestor::Systemd
        }
        "slurm" => {
            plugin.no_settings(Unknown::Warn);
            WorkloadAttestor::Slurm
        }
        _ => WorkloadAttestor::Unix(workload::unix(plugin)),
    })
}

fn disk(plugin: &Plugin<'_>) -> Option<KeyManager> {
    let block = plugin.data();
    let directory = block.text("directory");
    if directory.is_none() {
        block.required("directory", "the folder that keys are kept in");
    }
    block.finish(Unknown::Warn);
    directory.map(|given| KeyManager::Disk { directory: given.value.into() })
}

fn tpm(plugin: &Plugin<'_>) -> Option<KeyManager> {
    let block = plugin.data();
    let directory = block.text("directory");
    if directory.is_none() {
        block.required("directory", "the folder for what the TPM has encrypted");
    }
    let tpm_device_path = block.text("tpm_device_path").map(|given| given.value.into());
    let owner_hierarchy_password = Password::read(&block, "owner_hierarchy_password");
    block.finish(Unknown::Warn);
    let directory = directory?.value.into();
    Some(KeyManager::Tpm(TpmKeys { tpm_device_path, directory, owner_hierarchy_password }))
}

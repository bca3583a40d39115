use std::path::PathBuf;

use super::super::super::block::Unknown;
use super::super::super::plugin::Plugin;

/// Attestation by an SSH host certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sshpop {
    /// Keys whose host certificates are believed, as in `authorized_keys`.
    pub cert_authorities: Vec<String>,
    /// A file of more of them.
    pub cert_authorities_path: Option<PathBuf>,
    /// The domain that hosts are in.
    pub canonical_domain: Option<String>,
    /// The template of the agent's path below `/spire/agent`, if one is set; the attestor knows which forms it takes.
    pub agent_path_template: Option<String>,
}

/// Reads the settings of NodeAttestor `sshpop`.
pub(in super::super) fn read(plugin: &Plugin<'_>) -> Option<Sshpop> {
    let block = plugin.data();
    let settings = Sshpop {
        cert_authorities: block.texts("cert_authorities").into_iter().map(|given| given.value).collect(),
        cert_authorities_path: block.text("cert_authorities_path").map(|given| given.value.into()),
        canonical_domain: block.text("canonical_domain").map(|given| given.value),
        agent_path_template: block.text("agent_path_template").map(|given| given.value),
    };
    let nobody = settings.cert_authorities.is_empty() && settings.cert_authorities_path.is_none();
    if nobody {
        block.required(
            "cert_authorities or cert_authorities_path",
            "the keys that host certificates are signed with",
        );
    }
    block.finish(Unknown::Warn);
    (!nobody).then_some(settings)
}

use super::super::super::block::{Block, Unknown};
use super::super::super::check::port;
use super::super::super::plugin::Plugin;

/// Attestation by a name that the server asks over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpChallenge {
    /// Regular expressions of which the name must match one, if there are any; the attestor knows which it takes.
    pub allowed_dns_patterns: Vec<String>,
    /// The only port that nodes are asked on, if there is one.
    pub required_port: Option<u16>,
    /// Whether ports from 1024 on may be used.
    pub allow_non_root_ports: bool,
    /// Whether a name is believed once only.
    pub tofu: bool,
}

/// Reads the settings of NodeAttestor `http_challenge`.
pub(in super::super) fn read(plugin: &Plugin<'_>) -> HttpChallenge {
    let block = plugin.data();
    let switch = |block: &Block<'_>, key| block.switch(key).is_none_or(|given| given.value);
    let settings = HttpChallenge {
        allowed_dns_patterns: block.texts("allowed_dns_patterns").into_iter().map(|it| it.value).collect(),
        required_port: block.number("required_port").and_then(|given| port(&block, "required_port", given)),
        allow_non_root_ports: switch(&block, "allow_non_root_ports"),
        tofu: switch(&block, "tofu"),
    };
    block.finish(Unknown::Warn);
    settings
}

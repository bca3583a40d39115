use super::super::super::block::{Block, Unknown};
use super::super::super::check::port;
use super::super::super::plugin::Plugin;
use super::super::super::problem::Problem;

/// The longest name of an agent that servers take.
const MAX_AGENT_NAME: usize = 32;

/// Attestation by a name that the server asks over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpChallenge {
    /// The name that the server is told; that of the machine unless set.
    pub hostname: Option<String>,
    /// Which agent on the machine this is; `default` unless set.
    pub agentname: String,
    /// The port to listen on; any free one unless set.
    pub port: Option<u16>,
    /// The port that the server is told, if it is another.
    pub advertised_port: Option<u16>,
}

/// Reads the settings of NodeAttestor `http_challenge`.
pub(in super::super) fn read(plugin: &Plugin<'_>) -> HttpChallenge {
    let block = plugin.data();
    let settings = HttpChallenge {
        hostname: block.text("hostname").map(|given| given.value),
        agentname: agent_name(&block),
        port: port_unless_zero(&block, "port"),
        advertised_port: port_unless_zero(&block, "advertised_port"),
    };
    block.finish(Unknown::Warn);
    settings
}

fn port_unless_zero(block: &Block<'_>, key: &'static str) -> Option<u16> {
    block.number(key).filter(|given| given.value != 0).and_then(|given| port(block, key, given))
}

/// Servers refuse any other form (SPIRE 1.16); better to hear of it here.
fn agent_name(block: &Block<'_>) -> String {
    let Some(given) = block.text("agentname") else { return "default".to_owned() };
    let name = &given.value;
    let fits = name.len() <= MAX_AGENT_NAME
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-');
    if !fits {
        let why = "it must be a letter, then letters, digits and dashes, 32 in all at most".to_owned();
        let (key, value) = ("agentname".to_owned(), name.clone());
        block.mistake(given.place.clone(), Problem::BadValue { key, value, why });
    }
    given.value
}

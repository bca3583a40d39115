//! Node attestation by the node's name: the server fetches a nonce over plain HTTP from the name that the node claims,
//! and only whoever answers there under a port of the operator's choosing can have put it there.
//!
//! Wire, identities and selectors are those of SPIRE 1.16.

mod agent;
mod fetch;
mod server;
mod wire;

pub use agent::{Agent, AgentFault};
pub use server::{Configuration, ConfigurationFault, Server};

const NAME: &str = "http_challenge";

/// Where the nonce of an agent of this name is found.
fn path_of(agent_name: &str) -> String {
    format!("/.well-known/spiffe/nodeattestor/{NAME}/{agent_name}/challenge")
}

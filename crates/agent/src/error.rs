//! Why an agent stopped.

use std::time::Duration;

use kit::uds::UdsError;
use model::ports::KeyError;

use crate::node::{BootstrapError, StateError};

/// Why an agent stopped.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The data directory cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// There is nothing to trust the server by.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// The key of the agent's own SVID cannot be had.
    #[error("the key of the agent's own SVID cannot be had: {0}")]
    Keys(#[from] KeyError),
    /// The server does not believe the node.
    #[error("the server refused to attest this node: {message}; {hint}")]
    NotAttested {
        /// What the server said.
        message: String,
        /// What to do.
        hint: &'static str,
    },
    /// The agent's own half of the attestor cannot do its part.
    #[error(
        "this node cannot be attested: {0}; check the NodeAttestor block (for join_token: `token generate` on the server makes a \
         token, -joinToken passes it to the agent)"
    )]
    NoProof(String),
    /// The node could not be attested in time.
    #[error("this node could not be attested within {} seconds: {last}", .waited.as_secs())]
    GaveUp {
        /// How long it was tried.
        waited: Duration,
        /// What went wrong last.
        last: String,
    },
    /// The server no longer takes the agent's SVID, and it cannot have another by itself.
    #[error(
        "the server no longer accepts this agent ({0}), and its node attestor cannot attest again by itself: the SVID was \
         removed; give the agent what it needs to attest anew (for join_token, a new token) and start it again"
    )]
    MustReattest(String),
    /// The agent is banned.
    #[error(
        "the server has banned this agent: its SVID was removed; `agent evict` on the server lets it attest again"
    )]
    Banned,
    /// The Workload API's socket cannot be had.
    #[error("the Workload API cannot be served: {0}")]
    Socket(#[from] UdsError),
    /// The Workload API's server broke down.
    #[error("the Workload API stopped: {0}")]
    Serve(#[from] tonic::transport::Error),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] spiffe_tls::TlsError),
    /// An SVID and its key do not belong together.
    #[error("the agent's own SVID cannot be used: {0}")]
    Identity(#[from] spiffe_tls::IdentityError),
}

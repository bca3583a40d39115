//! What an agent is told at its start.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::ports::{KeyManager, NodeProof, Peer, WorkloadAttestor};
use spiffe::TrustDomain;
use spiffe::bundle::BundleForm;
use spiffe::key::KeyType;
use tokio::net::UnixStream;

use crate::sds::SdsNames;
use crate::status::AgentStatus;

/// What an agent is told at its start, checked by whoever read it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The trust domain of server and agent.
    pub trust_domain: TrustDomain,
    /// Host name or address of the server.
    pub server_address: String,
    /// Port of the server.
    pub server_port: u16,
    /// Where `agent-data.json` is kept.
    pub data_dir: PathBuf,
    /// What to trust before the first contact; not asked for where the data directory holds a bundle.
    pub bootstrap: Bootstrap,
    /// The socket of the Workload API and of SDS; there is none when neither is served.
    pub socket_path: PathBuf,
    /// Whether the socket serves the Workload API.
    pub workload_api: bool,
    /// What the secrets are called that the socket serves to Envoy; none where it does not serve them.
    pub sds: Option<SdsNames>,
    /// The type of the keys of X.509-SVIDs.
    pub workload_key_type: KeyType,
    /// How many X.509-SVIDs are kept that no open stream needs.
    pub x509_svid_cache_max_size: usize,
    /// How many JWT-SVIDs are kept at most.
    pub jwt_svid_cache_max_size: usize,
    /// How long an outage of the server SVIDs should survive; renewal begins early enough for it.
    pub availability_target: Option<Duration>,
    /// Whether callers without an identity may fetch bundles.
    pub allow_unauthenticated_verifiers: bool,
    /// Claims that ValidateJWTSVID returns of tokens of other trust domains, beside `sub`, `exp` and `aud`.
    pub allowed_foreign_jwt_claims: Vec<String>,
    /// Prefixes of selectors that may appear in the log.
    pub log_selectors: Vec<String>,
    /// How often a server that speaks only SPIRE's protocol is asked for changes.
    pub sync_interval: Duration,
    /// How long a fresh JWT-SVID is waited for when a cached one is still valid.
    pub jwt_svid_cache_hit_timeout: Duration,
    /// How often workloads may call.
    pub call_limits: CallLimits,
    /// Whether WIT-SVIDs are served.
    pub wit_svids: bool,
    /// The version to report to the server.
    pub version: String,
}

/// How many calls of each kind the callers with one set of selectors may make in a second, and at once; `None` for as many
/// as they like. Callers without a selector count as one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallLimits {
    /// FetchX509SVID.
    pub x509_svid: Option<u32>,
    /// FetchX509Bundles.
    pub x509_bundles: Option<u32>,
    /// FetchJWTSVID.
    pub jwt_svid: Option<u32>,
    /// FetchJWTBundles.
    pub jwt_bundles: Option<u32>,
    /// ValidateJWTSVID.
    pub validate_jwt_svid: Option<u32>,
    /// FetchWITSVID.
    pub wit_svid: Option<u32>,
    /// FetchWITBundles.
    pub wit_bundles: Option<u32>,
    /// StreamSecrets, and DeltaSecrets for itself.
    pub stream_secrets: Option<u32>,
    /// FetchSecrets.
    pub fetch_secrets: Option<u32>,
}

/// What an agent trusts before it has met its server.
#[derive(Debug, Clone)]
pub enum Bootstrap {
    /// A bundle in a file.
    File {
        /// The file.
        path: PathBuf,
        /// How it is written.
        format: BundleForm,
    },
    /// A bundle to fetch.
    Url {
        /// `https://…` (trusting the system's roots), or `http://…` with a socket.
        url: String,
        /// Fetch over this Unix socket.
        unix_socket: Option<PathBuf>,
        /// How it is written.
        format: BundleForm,
    },
    /// Whichever server answers first. Whoever can take the server's address can then name every identity on this node.
    DangerousFirstServer,
}

/// Pins the process at the other end of a connection that was just accepted.
pub type PinPeer = Arc<dyn Fn(&UnixStream) -> std::io::Result<Arc<dyn Peer>> + Send + Sync>;

/// What an agent works with.
#[derive(Clone)]
pub struct Adapters {
    /// Holds the key of the agent's own SVID.
    pub keys: Arc<dyn KeyManager>,
    /// Proves to the server which node this is.
    pub proof: Arc<dyn NodeProof>,
    /// Find out about callers.
    pub attestors: Vec<Arc<dyn WorkloadAttestor>>,
    /// Pins callers.
    pub pin: PinPeer,
    /// Told how the agent is doing; keep a clone to ask it.
    pub status: AgentStatus,
}

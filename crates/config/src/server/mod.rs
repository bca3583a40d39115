//! The server's file.

mod experimental;
mod federation;
mod node_attestor;
mod plugins;
mod store;
mod subject;
mod ttl;
mod upstream;

pub use experimental::{OpaPolicy, Wit};
pub use node_attestor::{HttpChallenge, NodeAttestor, Sshpop, TpmDevid, X509pop, X509popMode};
pub use plugins::KeyManager;
pub use store::{DataStore, Sqlite};
pub use subject::CaSubject;
pub use ttl::{CutShort, Lifetimes, Outlives};
pub use upstream::UpstreamAuthority;

#[cfg(test)]
pub(crate) use plugins::KNOWN as KNOWN_PLUGINS;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kit::cidr::Cidr;
use kit::hcl::Section;
use spiffe::key::KeyType;
use spiffe::{SpiffeId, TrustDomain};

use super::block::{Block, TOP, Unknown};
use super::check;
use super::external::External;
use super::given::{Given, flag_or};
use super::health::{HealthChecks, health_checks};
use super::key_type::{Use, key_type};
use super::log::{LogFlags, log};
use super::problem::Problem;
use super::profiling::{Profiling, profiling};
use super::read::{Source, document};
use super::report::{Ledger, Place, Report, Warning};
use super::telemetry::{Telemetry, telemetry};

/// Where SPIRE looks for the file if it is not named.
pub const DEFAULT_PATH: &str = "conf/server/server.conf";
/// The socket of the local API if the file names none.
pub const DEFAULT_SOCKET: &str = "/tmp/spire-server/private/api.sock";

/// What the command line says; each value stands over the file's.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `-bindAddress`
    pub bind_address: Option<String>,
    /// `-serverPort`
    pub server_port: Option<i64>,
    /// `-dataDir`
    pub data_dir: Option<String>,
    /// `-logFile`
    pub log_file: Option<String>,
    /// `-logFormat`
    pub log_format: Option<String>,
    /// `-logLevel`
    pub log_level: Option<String>,
    /// `-logSourceLocation`
    pub log_source_location: bool,
    /// `-socketPath`
    pub socket_path: Option<String>,
    /// `-trustDomain`
    pub trust_domain: Option<String>,
}

impl Overrides {
    fn log(&self) -> LogFlags<'_> {
        LogFlags {
            file: self.log_file.as_deref(),
            format: self.log_format.as_deref(),
            level: self.log_level.as_deref(),
            source_location: self.log_source_location,
        }
    }
}

/// Settings of a server that can be run with.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The trust domain it serves.
    pub trust_domain: TrustDomain,
    /// The host, name or address, that the TCP API listens on; without brackets.
    pub bind_address: String,
    /// The port that the TCP API listens on.
    pub bind_port: u16,
    /// The socket of the local API.
    pub socket_path: PathBuf,
    /// Where it keeps its state.
    pub data_dir: PathBuf,
    /// Profiles of the running process, if they are wanted.
    pub profiling: Option<Profiling>,
    /// How it logs.
    pub log: kit::log::Options,
    /// How long an authority is valid.
    pub ca_ttl: Duration,
    /// The key type of the X.509 authority.
    pub ca_key_type: KeyType,
    /// The key type of JWT keys.
    pub jwt_key_type: KeyType,
    /// The subject of the X.509 authority.
    pub ca_subject: CaSubject,
    /// How long a workload's X.509-SVID is valid if its entry does not say.
    pub default_x509_svid_ttl: Duration,
    /// How long a JWT-SVID is valid if its entry does not say.
    pub default_jwt_svid_ttl: Duration,
    /// How long an agent's SVID is valid.
    pub agent_ttl: Duration,
    /// The issuer claim of JWT-SVIDs.
    pub jwt_issuer: Option<String>,
    /// Whether the JWT profile is off: no keys, nothing minted.
    pub disable_jwt_svids: bool,
    /// Who may administer over TCP; may be members of other trust domains.
    pub admin_ids: Vec<SpiffeId>,
    /// Whether each agent gets its own SPIFFE ID as a selector, `spiffe_id:<ID>`.
    pub agent_spiffe_id_as_selector: bool,
    /// The policy that stands in the place of the server's own rules of who may call what.
    pub policy: Option<OpaPolicy>,
    /// How WIT-SVIDs are signed; `None` while they are switched off.
    pub wit: Option<Wit>,
    /// Which calls are limited for each client address.
    pub rate_limit: RateLimit,
    /// The load balancers that are believed where their clients are.
    pub proxy_protocol_trusted_cidrs: Vec<Cidr>,
    /// Which agents are purged that have been expired for long.
    pub prune: Option<Prune>,
    /// Where the registry is kept.
    pub data_store: DataStore,
    /// Where keys are kept.
    pub key_manager: KeyManager,
    /// How nodes may attest, in the order they stand.
    pub node_attestors: Vec<NodeAttestor>,
    /// What signs the server's X.509 authority; it signs its own without one.
    pub upstream_authority: Option<UpstreamAuthority>,
    /// Whether workloads' X.509-SVIDs have a unique identifier in their subject (`CredentialComposer "uniqueid"`).
    pub unique_ids: bool,
    /// Who is told of the trust bundle.
    pub notifiers: Vec<External>,
    /// Who publishes the trust bundle.
    pub bundle_publishers: Vec<External>,
    /// Health over HTTP.
    pub health_checks: HealthChecks,
    /// Whether each call leaves a record in the log.
    pub audit_log_enabled: bool,
    /// Where metrics go.
    pub telemetry: Telemetry,
    /// What to tell the operator at start.
    pub warnings: Vec<Warning>,
}

/// Which agents are purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prune {
    /// How long ago their SVID must have ended.
    pub expired_for: Duration,
    /// The most that are purged in one transaction.
    pub batch_size: usize,
    /// Whether those are purged too that cannot attest again.
    pub tofu: bool,
}

/// Which calls are limited for each client address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Attestation.
    pub attestation: bool,
    /// Signing of X.509- and JWT-SVIDs.
    pub signing: bool,
}

/// Reads the server's file.
///
/// # Errors
/// Every mistake in the file and the flags.
pub fn load(source: &Source, flags: &Overrides) -> Result<ServerSettings, Report> {
    let ledger = Ledger::default();
    let built = read(&ledger, source, flags);
    let (mut settings, warnings) = ledger.settle(built)?;
    settings.warnings = warnings;
    Ok(settings)
}

fn read(ledger: &Ledger, source: &Source, flags: &Overrides) -> Option<ServerSettings> {
    let document = document(ledger, source)?;
    let top = Block::new(ledger, Arc::from(document.file()), TOP, Section::of(document.root()));
    let settings = everything(&top, flags);
    top.finish(Unknown::Refuse);
    settings
}

/// Reads everything before anything is given up, so that all mistakes are found.
fn everything(top: &Block<'_>, flags: &Overrides) -> Option<ServerSettings> {
    let plugins = plugins::read(top);
    let health_checks = health_checks(top);
    let telemetry = telemetry(top);
    let block = top.block_or_empty("server");
    let flag = |name, value: &Option<String>, key| flag_or(name, value.as_deref(), block.text(key));
    let trust_domain = check::trust_domain(&block, flag("-trustDomain", &flags.trust_domain, "trust_domain"));
    let data_dir = flag("-dataDir", &flags.data_dir, "data_dir");
    if data_dir.is_none() {
        block.required("data_dir", "the folder that the server keeps its state in");
    }
    let bind_address = flag("-bindAddress", &flags.bind_address, "bind_address");
    let socket_path = flag("-socketPath", &flags.socket_path, "socket_path");
    let log = log(&block, flags.log());
    let profiling = profiling(&block);
    let bind_port = bind_port(&block, flags);
    let ttl = ttl::read(&block);
    let ca_key_type = key_type(&block, "ca_key_type", Use::Authority).unwrap_or(KeyType::EcP256);
    let jwt_key_type = key_type(&block, "jwt_key_type", Use::Authority).unwrap_or(ca_key_type);
    let ca_subject = subject::read(&block);
    let jwt_issuer = block.text("jwt_issuer").map(|given| given.value);
    let disable_jwt_svids = block.switch("disable_jwt_svids").is_some_and(|given| given.value);
    let admin_ids = check::ids(&block, "admin_ids");
    let rate_limit = rate_limit(&block);
    let audit_log_enabled = block.switch("audit_log_enabled").is_some_and(|given| given.value);
    let proxy_protocol_trusted_cidrs = networks(&block);
    let prune = prune(&block);
    let experimental = experimental::read(&block, ca_key_type);
    federation::read(&block);
    later_features(&block);
    block.finish(Unknown::Refuse);

    let plugins = plugins?;
    Some(ServerSettings {
        trust_domain: trust_domain?,
        bind_address: bind_address.map_or_else(|| "0.0.0.0".to_owned(), check::host),
        bind_port: bind_port?,
        socket_path: socket_path.map_or_else(|| DEFAULT_SOCKET.into(), check::path),
        data_dir: check::path(data_dir?),
        profiling,
        log,
        ca_ttl: ttl.ca,
        ca_key_type,
        jwt_key_type,
        ca_subject,
        default_x509_svid_ttl: ttl.x509_svid,
        default_jwt_svid_ttl: ttl.jwt_svid,
        agent_ttl: ttl.agent,
        jwt_issuer,
        disable_jwt_svids,
        admin_ids,
        agent_spiffe_id_as_selector: experimental.agent_spiffe_id_as_selector,
        policy: experimental.policy,
        wit: experimental.wit,
        rate_limit,
        proxy_protocol_trusted_cidrs,
        prune,
        data_store: plugins.data_store,
        key_manager: plugins.key_manager,
        node_attestors: plugins.node_attestors,
        upstream_authority: plugins.upstream_authority,
        unique_ids: plugins.unique_ids,
        notifiers: plugins.notifiers,
        bundle_publishers: plugins.bundle_publishers,
        health_checks,
        audit_log_enabled,
        telemetry,
        warnings: Vec::new(),
    })
}

fn bind_port(block: &Block<'_>, flags: &Overrides) -> Option<u16> {
    let file = block.number("bind_port").filter(|given| given.value != 0);
    let flag = flags.server_port.filter(|port| *port != 0);
    let given = flag.map(|value| Given { value, place: Place::Flag("-serverPort") }).or(file);
    given.map_or(Some(8081), |given| check::port(block, "bind_port", given))
}

fn rate_limit(block: &Block<'_>) -> RateLimit {
    let mut limit = RateLimit { attestation: true, signing: true };
    if let Some(block) = block.block("ratelimit") {
        limit.attestation = block.switch("attestation").is_none_or(|given| given.value);
        limit.signing = block.switch("signing").is_none_or(|given| given.value);
        block.finish(Unknown::Refuse);
    }
    limit
}

fn networks(block: &Block<'_>) -> Vec<Cidr> {
    let key = "proxy_protocol_trusted_cidrs";
    let read = |given: Given<String>| match Cidr::parse(&given.value) {
        Ok(network) => Some(network),
        Err(why) => {
            let why = why.to_string();
            block.mistake(given.place, Problem::BadValue { key: key.to_owned(), value: given.value, why });
            None
        }
    };
    block.texts(key).into_iter().filter_map(read).collect()
}

fn prune(block: &Block<'_>) -> Option<Prune> {
    let expired_for = block.duration("prune_attested_nodes_expired_for");
    let batch = block.number("prune_attested_nodes_batch_size");
    let tofu = block.switch("prune_tofu_nodes").is_some_and(|given| given.value);
    let batch_size = match batch {
        // As in SPIRE, zero is the default.
        None | Some(Given { value: 0, .. }) => 1000,
        Some(Given { value, place }) => match usize::try_from(value) {
            Ok(size) => size,
            Err(_) => {
                let (key, why) =
                    ("prune_attested_nodes_batch_size".to_owned(), "it must not be negative".to_owned());
                block.mistake(place, Problem::BadValue { key, value: value.to_string(), why });
                return None;
            }
        },
    };
    let expired_for = expired_for.map(|given| given.value).filter(|long| !long.is_zero())?;
    Some(Prune { expired_for, batch_size, tofu })
}

fn later_features(block: &Block<'_>) {
    let staleness = "the server knows its agents from a snapshot in memory that is always current";
    block.duration("max_attested_node_info_staleness");
    block.no_effect("max_attested_node_info_staleness", staleness);
}

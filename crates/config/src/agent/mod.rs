//! The agent's file.

mod bootstrap;
mod call_limits;
mod experimental;
mod join_token;
mod node_attestor;
mod plugins;
mod sds;
mod workload;

pub use bootstrap::Bootstrap;
pub use call_limits::{CallLimits, DEFAULT_CALLS};
pub use join_token::JoinToken;
pub use node_attestor::{HttpChallenge, NodeAttestor, Password, Sshpop, TpmDevid, X509pop};
pub use plugins::{KeyManager, TpmKeys};
pub use sds::Sds;
pub use workload::{Docker, K8s, KubeletCredentials, Unix, WorkloadAttestor};

#[cfg(test)]
pub(crate) use plugins::KNOWN as KNOWN_PLUGINS;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kit::hcl::Section;
use spiffe::TrustDomain;
use spiffe::key::KeyType;

use super::block::{Block, TOP, Unknown, is_empty};
use super::check;
use super::given::{Given, flag_or, switch_or};
use super::health::{HealthChecks, health_checks};
use super::key_type::{Use, key_type};
use super::log::{LogFlags, log};
use super::problem::{Notice, Problem};
use super::profiling::{Profiling, profiling};
use super::read::{Source, document};
use super::report::{Ledger, Place, Report, Warning};
use super::telemetry::{Telemetry, telemetry};

/// Where SPIRE looks for the file if it is not named.
pub const DEFAULT_PATH: &str = "conf/agent/agent.conf";
/// The socket of the Workload API if the file names none.
pub const DEFAULT_SOCKET: &str = "/tmp/spire-agent/public/api.sock";

/// What the command line says; each value stands over the file's.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `-allowUnauthenticatedVerifiers`
    pub allow_unauthenticated_verifiers: bool,
    /// `-dataDir`
    pub data_dir: Option<String>,
    /// `-disableSDSAPI`
    pub disable_sds_api: bool,
    /// `-disableWorkloadAPI`
    pub disable_workload_api: bool,
    /// `-insecureBootstrap`
    pub insecure_bootstrap: bool,
    /// `-joinToken`
    pub join_token: Option<String>,
    /// `-joinTokenFile`
    pub join_token_file: Option<String>,
    /// `-logFile`
    pub log_file: Option<String>,
    /// `-logFormat`
    pub log_format: Option<String>,
    /// `-logLevel`
    pub log_level: Option<String>,
    /// `-logSourceLocation`
    pub log_source_location: bool,
    /// `-rebootstrapDelay`
    pub rebootstrap_delay: Option<String>,
    /// `-rebootstrapMode`
    pub rebootstrap_mode: Option<String>,
    /// `-serverAddress`
    pub server_address: Option<String>,
    /// `-serverPort`
    pub server_port: Option<i64>,
    /// `-socketPath`
    pub socket_path: Option<String>,
    /// `-trustBundle`
    pub trust_bundle: Option<String>,
    /// `-trustBundleFormat`
    pub trust_bundle_format: Option<String>,
    /// `-trustBundleUrl`
    pub trust_bundle_url: Option<String>,
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

/// Settings of an agent that can be run with.
#[derive(Clone, Debug)]
pub struct AgentSettings {
    /// The trust domain it belongs to.
    pub trust_domain: TrustDomain,
    /// The server's host, name or address.
    pub server_address: String,
    /// The server's port.
    pub server_port: u16,
    /// The socket of the Workload API and of SDS.
    pub socket_path: PathBuf,
    /// Whether the Workload API is served.
    pub workload_api: bool,
    /// What Envoy's discovery of secrets calls things, if it is served.
    pub sds: Option<Sds>,
    /// Where it keeps its state.
    pub data_dir: PathBuf,
    /// Profiles of the running process, if they are wanted.
    pub profiling: Option<Profiling>,
    /// How it logs.
    pub log: kit::log::Options,
    /// Beginnings of the selectors that may stand in log lines; none may if this is empty.
    pub log_selectors: Vec<String>,
    /// Why it believes the first server that it talks to.
    pub bootstrap: Bootstrap,
    /// The token to attest with, if that is how.
    pub join_token: Option<JoinToken>,
    /// The key type of workloads' SVIDs.
    pub workload_x509_svid_key_type: KeyType,
    /// How many X.509-SVIDs are kept ready; a soft limit.
    pub x509_svid_cache_max_size: usize,
    /// How many JWT-SVIDs are kept; a hard limit.
    pub jwt_svid_cache_max_size: usize,
    /// How long an outage of the server SVIDs should survive, at least a day.
    pub availability_target: Option<Duration>,
    /// Whether callers without an entry may fetch X.509 bundles.
    pub allow_unauthenticated_verifiers: bool,
    /// Claims of foreign tokens that validation returns, besides `sub`, `exp` and `aud`.
    pub allowed_foreign_jwt_claims: Vec<String>,
    /// How often it asks a server that does not push.
    pub sync_interval: Duration,
    /// How long a fresh JWT-SVID is waited for when a cached one is still valid.
    pub jwt_svid_cache_hit_timeout: Duration,
    /// How often workloads may call.
    pub call_limits: CallLimits,
    /// Whether WIT-SVIDs are served (feature flag `wit-svid`).
    pub wit_svids: bool,
    /// Where keys are kept.
    pub key_manager: KeyManager,
    /// How it attests.
    pub node_attestor: NodeAttestor,
    /// How it tells workloads apart, in the order they stand.
    pub workload_attestors: Vec<WorkloadAttestor>,
    /// Health over HTTP.
    pub health_checks: HealthChecks,
    /// Where metrics go.
    pub telemetry: Telemetry,
    /// What to tell the operator at start.
    pub warnings: Vec<Warning>,
}

/// Reads the agent's file, and the join token's file if one is named.
///
/// # Errors
/// Every mistake in the file and the flags.
pub fn load(source: &Source, flags: &Overrides) -> Result<AgentSettings, Report> {
    let ledger = Ledger::default();
    let built = read(&ledger, source, flags);
    let (mut settings, warnings) = ledger.settle(built)?;
    settings.warnings = warnings;
    Ok(settings)
}

fn read(ledger: &Ledger, source: &Source, flags: &Overrides) -> Option<AgentSettings> {
    let document = document(ledger, source)?;
    let top = Block::new(ledger, Arc::from(document.file()), TOP, Section::of(document.root()));
    let settings = everything(&top, flags);
    top.finish(Unknown::Refuse);
    settings
}

/// Reads everything before anything is given up, so that all mistakes are found.
fn everything(top: &Block<'_>, flags: &Overrides) -> Option<AgentSettings> {
    let plugins = plugins::read(top);
    let health_checks = health_checks(top);
    let telemetry = telemetry(top);
    let block = top.block_or_empty("agent");
    let flag = |name, value: &Option<String>, key| flag_or(name, value.as_deref(), block.text(key));
    let trust_domain = check::trust_domain(&block, flag("-trustDomain", &flags.trust_domain, "trust_domain"));
    let server_address = flag("-serverAddress", &flags.server_address, "server_address");
    if server_address.is_none() {
        block.required("server_address", "the server's name or IP address");
    }
    let server_port = server_port(&block, flags);
    let socket_path = flag("-socketPath", &flags.socket_path, "socket_path");
    let no_workload_api =
        switch_or("-disableWorkloadAPI", flags.disable_workload_api, block.switch("disable_workload_api"));
    let sds = sds::read(&block, flags);
    let data_dir = flag("-dataDir", &flags.data_dir, "data_dir");
    let log = log(&block, flags.log());
    let profiling = profiling(&block);
    let log_selectors = texts(&block, "log_selectors");
    let bootstrap = bootstrap::read(&block, flags);
    let join_token = join_token::read(&block, flags);
    let key_type = key_type(&block, "workload_x509_svid_key_type", Use::Workload);
    let x509_svid_cache_max_size = check::size(&block, "x509_svid_cache_max_size", 1000);
    let jwt_svid_cache_max_size = check::size(&block, "jwt_svid_cache_max_size", 1000);
    let availability_target = availability_target(&block);
    let unauthenticated = switch_or(
        "-allowUnauthenticatedVerifiers",
        flags.allow_unauthenticated_verifiers,
        block.switch("allow_unauthenticated_verifiers"),
    );
    let allowed_foreign_jwt_claims = texts(&block, "allowed_foreign_jwt_claims");
    let experimental = experimental::read(&block);
    later_features(&block, flags);
    block.finish(Unknown::Refuse);

    let plugins = plugins?;
    Some(AgentSettings {
        trust_domain: trust_domain?,
        server_address: check::host(server_address?),
        server_port: server_port?,
        socket_path: socket_path.map_or_else(|| DEFAULT_SOCKET.into(), check::path),
        workload_api: !no_workload_api.is_some_and(|given| given.value),
        sds,
        data_dir: data_dir.map_or_else(|| ".".into(), check::path),
        profiling,
        log,
        log_selectors,
        bootstrap: bootstrap?,
        join_token,
        workload_x509_svid_key_type: key_type.unwrap_or(KeyType::EcP256),
        x509_svid_cache_max_size,
        jwt_svid_cache_max_size,
        availability_target,
        allow_unauthenticated_verifiers: unauthenticated.is_some_and(|given| given.value),
        allowed_foreign_jwt_claims,
        sync_interval: experimental.sync_interval,
        jwt_svid_cache_hit_timeout: experimental.jwt_svid_cache_hit_timeout,
        call_limits: experimental.call_limits,
        wit_svids: experimental.wit_svids,
        key_manager: plugins.key_manager,
        node_attestor: plugins.node_attestor,
        workload_attestors: plugins.workload_attestors,
        health_checks,
        telemetry,
        warnings: Vec::new(),
    })
}

fn texts(block: &Block<'_>, key: &'static str) -> Vec<String> {
    block.texts(key).into_iter().map(|given| given.value).collect()
}

fn server_port(block: &Block<'_>, flags: &Overrides) -> Option<u16> {
    let file = block.number("server_port").filter(|given| given.value != 0);
    let flag = flags.server_port.filter(|port| *port != 0);
    let given = flag.map(|value| Given { value, place: Place::Flag("-serverPort") }).or(file);
    if given.is_none() {
        block.required("server_port", "the server's port, 8081 if it was not changed");
    }
    given.and_then(|given| check::port(block, "server_port", given))
}

fn availability_target(block: &Block<'_>) -> Option<Duration> {
    let given = block.duration("availability_target")?;
    if given.value < Duration::from_secs(24 * 3600) {
        let (value, why) = (kit::duration::format(given.value), "it must be at least 24h".to_owned());
        block.mistake(given.place, Problem::BadValue { key: "availability_target".to_owned(), value, why });
        return None;
    }
    Some(given.value)
}

fn later_features(block: &Block<'_>, flags: &Overrides) {
    let admin = "serve the debug, logger and delegated identity APIs on a socket of their own";
    block.not_yet_unless("admin_socket_path", admin, is_empty);
    let delegates = "let these identities fetch SVIDs for other workloads";
    block.not_yet_unless("authorized_delegates", delegates, is_empty);
    rebootstrap(block, flags);
}

fn rebootstrap(block: &Block<'_>, flags: &Overrides) {
    let mode = flag_or("-rebootstrapMode", flags.rebootstrap_mode.as_deref(), block.text("rebootstrap_mode"));
    if let Some(Given { value, place }) = mode {
        let problem = match value.as_str() {
            "never" => None,
            "auto" | "always" => {
                let what = format!("rebootstrap_mode {value:?}");
                Some(Problem::NotYet {
                    what,
                    would: "bootstrap again when the server's authority is unknown",
                })
            }
            _ => {
                let why = "it must be \"never\" (or, later, \"auto\" or \"always\")".to_owned();
                Some(Problem::BadValue { key: "rebootstrap_mode".to_owned(), value, why })
            }
        };
        if let Some(problem) = problem {
            block.mistake(place, problem);
        }
    }
    let delay =
        flag_or("-rebootstrapDelay", flags.rebootstrap_delay.as_deref(), block.text("rebootstrap_delay"));
    if let Some(Given { value, place }) = delay {
        let key = "rebootstrap_delay".to_owned();
        match kit::duration::parse(&value) {
            Ok(_) => block.warn(place, Notice::NoEffect { key, why: "rebootstrap_mode is \"never\"" }),
            Err(cause) => block.mistake(place, Problem::BadDuration { key, value, cause }),
        }
    }
}

//! `agent run` and `agent validate`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use ::telemetry::otlp::Waiting;
use agent::{AgentStatus, Bootstrap, PinPeer, Stage};
use config::agent::{
    AgentSettings, KeyManager, NodeAttestor, Overrides, TpmDevid, WorkloadAttestor, X509pop,
};
use kit::clock::Clock;
use kit::flags::Values;
use model::ports;
use plugins_external::HostServices;
use plugins_local::{http_challenge, join_token, keys, peer, sshpop, tpm_devid, x509pop};
use tokio_util::sync::CancellationToken;

use crate::external::{self, Externals};
use crate::reload::AgentReloading;
use crate::start::{self, Failure, given};
use crate::{command, health, profiling, signals, telemetry, workload};

/// Runs an agent until a signal stops it.
pub(crate) fn run(values: &Values) -> Result<(), Failure> {
    let (source, flags) = given_files(values)?;
    let settings = checked(&source, &flags)?;
    let again = move || checked(&source, &flags);
    let (spans, waiting) = telemetry::spans(&settings.telemetry, telemetry::AGENT_SPANS)?;
    let log = kit::log::init_beside(settings.log.clone(), spans)?;
    start::safe_umask();
    settings.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    start::runtime()?.block_on(async {
        let stop = signals::stop_on_signal()?;
        signals::reopen_on_signal(log)?;
        let reloading = AgentReloading::default();
        reloading.on_signal(again)?;
        serve(settings, reloading, waiting, stop).await
    })
}

/// Runs an agent with these settings until `stop`.
pub(crate) async fn serve(
    settings: AgentSettings,
    reloading: AgentReloading,
    spans: Option<Waiting>,
    stop: CancellationToken,
) -> Result<(), Failure> {
    std::fs::create_dir_all(&settings.data_dir)
        .map_err(|e| format!("cannot create the data directory {}: {e}", settings.data_dir.display()))?;
    let status = AgentStatus::default();
    let asked = status.clone();
    let check = health::Check::by(move || std::future::ready(vec![subsystem(asked.stage())]));
    let asked = status.clone();
    let measured = telemetry::Role {
        name: "spire_agent",
        set: &::agent::metrics::METRICS,
        table: ::agent::metrics::TABLE,
        started: &::agent::metrics::STARTED,
        uptime: &::agent::metrics::UPTIME,
    };
    let own = telemetry::Own::when(move || asked.own().cloned());
    let telemetry =
        telemetry::start(measured, &settings.telemetry, &settings.trust_domain, own, spans, stop.clone())?;
    let profiling = profiling::start("agent", settings.profiling.as_ref(), &stop);
    let health = health::serve(&settings.health_checks, check, stop.clone()).await?;
    let externals = Externals::new(settings.trust_domain.clone(), host_services());
    let adapters = match adapters(&settings, status, &externals, &reloading).await {
        Ok(adapters) => adapters,
        Err(failure) => {
            externals.stop().await;
            return Err(failure);
        }
    };
    externals.reload_on_signal()?;
    let outcome = agent::run(engine_settings(settings), adapters, Clock::system(), stop.clone()).await;
    stop.cancel();
    health.await;
    telemetry.await;
    profiling.await;
    externals.stop().await;
    Ok(outcome?)
}

/// What external plugins find at this agent.
fn host_services() -> HostServices {
    HostServices { metrics: Some(external::measure(&::agent::metrics::METRICS)), ..HostServices::default() }
}

async fn adapters(
    settings: &AgentSettings,
    status: AgentStatus,
    externals: &Externals,
    reloading: &AgentReloading,
) -> Result<agent::Adapters, Failure> {
    let (keys, in_tpm) = keys(settings, externals, reloading).await?;
    let proof = proof(settings, in_tpm, externals, reloading).await?;
    let mut attestors = Vec::new();
    for settings in &settings.workload_attestors {
        attestors.push(workload_attestor(settings, externals, reloading).await?);
    }
    tell_built_in(settings);
    Ok(agent::Adapters { keys, proof, attestors, pin: pin(), status })
}

/// Tells of the plugins that are built in; external ones are told of when they have started.
fn tell_built_in(settings: &AgentSettings) {
    match &settings.key_manager {
        KeyManager::Memory => start::loaded("KeyManager", "memory"),
        KeyManager::Disk { .. } => start::loaded("KeyManager", "disk"),
        KeyManager::Tpm(_) => start::loaded("KeyManager", "tpm"),
        KeyManager::External(_) => {}
    }
    match &settings.node_attestor {
        NodeAttestor::JoinToken => start::loaded("NodeAttestor", "join_token"),
        NodeAttestor::X509pop(_) => start::loaded("NodeAttestor", "x509pop"),
        NodeAttestor::HttpChallenge(_) => start::loaded("NodeAttestor", "http_challenge"),
        NodeAttestor::Sshpop(_) => start::loaded("NodeAttestor", "sshpop"),
        NodeAttestor::TpmDevid(_) => start::loaded("NodeAttestor", "tpm_devid"),
        NodeAttestor::External(_) => {}
    }
    settings.workload_attestors.iter().filter_map(workload::name).for_each(|name| {
        start::loaded("WorkloadAttestor", name);
    });
}

/// How an agent is at this stage.
fn subsystem(stage: Stage) -> health::Subsystem {
    match stage {
        Stage::Attesting => health::Subsystem::waiting("agent", "this node to be attested by the server"),
        Stage::Syncing => health::Subsystem::waiting(
            "agent",
            "the server to say what this node may have, and the socket to be open",
        ),
        Stage::Serving => health::Subsystem::well("agent"),
        Stage::Stopping => {
            health::Subsystem::failed("agent", "make_new_x509_err", "the agent is stopping".to_owned())
        }
    }
}

/// Checks a configuration.
pub(crate) fn validate(values: &Values) -> ExitCode {
    let settings = match load(values) {
        Ok(settings) => settings,
        Err(failure) => return start::tell_validation("agent", Err(failure)),
    };
    let faults = match start::runtime() {
        Ok(runtime) => runtime.block_on(external_faults(&settings)),
        Err(error) => vec![error.to_string()],
    };
    match faults.is_empty() {
        true => start::tell_validation("agent", Ok::<_, String>(settings.warnings)),
        false => start::tell_validation("agent", Err(faults.join("\n  "))),
    }
}

/// What is wrong with the external plugins, as they say themselves.
async fn external_faults(settings: &AgentSettings) -> Vec<String> {
    let mut all = Vec::new();
    if let KeyManager::External(external) = &settings.key_manager {
        all.push(("KeyManager", external));
    }
    if let NodeAttestor::External(external) = &settings.node_attestor {
        all.push(("NodeAttestor", external));
    }
    for attestor in &settings.workload_attestors {
        if let WorkloadAttestor::External(external) = attestor {
            all.push(("WorkloadAttestor", external));
        }
    }
    let mut faults = Vec::new();
    for (kind, external) in all {
        faults.extend(external::faults(kind, external, &settings.trust_domain, host_services()).await);
    }
    faults
}

fn load(values: &Values) -> Result<AgentSettings, Failure> {
    let (source, flags) = given_files(values)?;
    checked(&source, &flags)
}

/// The settings, if the attestors that they want can be made.
fn checked(source: &config::Source, flags: &Overrides) -> Result<AgentSettings, Failure> {
    let settings = config::agent::load(source, flags)?;
    for attestor in &settings.workload_attestors {
        workload::attestor(attestor)?;
    }
    Ok(settings)
}

/// The file that is named, and the flags that stand over it.
fn given_files(values: &Values) -> Result<(config::Source, Overrides), Failure> {
    let source = config::read(Path::new(values.text("config")), values.switch("expandEnv"))?;
    let flags = Overrides {
        allow_unauthenticated_verifiers: values.switch("allowUnauthenticatedVerifiers"),
        data_dir: given(values, "dataDir"),
        disable_sds_api: values.switch("disableSDSAPI"),
        disable_workload_api: values.switch("disableWorkloadAPI"),
        insecure_bootstrap: values.switch("insecureBootstrap"),
        join_token: given(values, "joinToken"),
        join_token_file: given(values, "joinTokenFile"),
        log_file: given(values, "logFile"),
        log_format: given(values, "logFormat"),
        log_level: given(values, "logLevel"),
        log_source_location: values.switch("logSourceLocation"),
        rebootstrap_delay: given(values, "rebootstrapDelay"),
        rebootstrap_mode: given(values, "rebootstrapMode"),
        server_address: given(values, "serverAddress"),
        server_port: values.given("serverPort").then(|| values.integer("serverPort")),
        socket_path: given(values, "socketPath"),
        trust_bundle: given(values, "trustBundle"),
        trust_bundle_format: given(values, "trustBundleFormat"),
        trust_bundle_url: given(values, "trustBundleUrl"),
        trust_domain: given(values, "trustDomain"),
    };
    Ok((source, flags))
}

/// The key manager, twice if its keys are in a TPM, which may then say so.
async fn keys(
    settings: &AgentSettings,
    externals: &Externals,
    reloading: &AgentReloading,
) -> Result<(Arc<dyn ports::KeyManager>, Option<Arc<keys::Tpm>>), Failure> {
    Ok(match &settings.key_manager {
        KeyManager::Memory => (Arc::new(keys::Memory::new()), None),
        KeyManager::Disk { directory } => (reloading.keys(directory)?, None),
        KeyManager::Tpm(tpm) => {
            let (tpm, password) = (tpm.clone(), tpm.owner_hierarchy_password.reveal().to_owned().into());
            let open = move || keys::Tpm::open(tpm.tpm_device_path.as_deref(), &tpm.directory, password);
            let keys = Arc::new(tokio::task::spawn_blocking(open).await??);
            (keys.clone(), Some(keys))
        }
        KeyManager::External(external) => {
            let plugin = externals.start("KeyManager", external).await?;
            (Arc::new(plugins_external::KeyManager::new(plugin, plugins_external::Side::Agent)), None)
        }
    })
}

async fn proof(
    settings: &AgentSettings,
    in_tpm: Option<Arc<keys::Tpm>>,
    externals: &Externals,
    reloading: &AgentReloading,
) -> Result<Arc<dyn ports::NodeProof>, Failure> {
    if let NodeAttestor::External(external) = &settings.node_attestor {
        let plugin = externals.start("NodeAttestor", external).await?;
        return Ok(Arc::new(plugins_external::NodeProof::new(plugin)));
    }
    let token = settings.join_token.as_ref().map(|token| token.reveal().to_owned());
    match built_in_proof(&settings.node_attestor, in_tpm.clone(), token)? {
        // A token has no settings.
        Some(first) if settings.node_attestor == NodeAttestor::JoinToken => Ok(first),
        Some(first) => {
            let make = move |fresh: &NodeAttestor| built_in_proof(fresh, in_tpm.clone(), None);
            Ok(reloading.proof(&settings.node_attestor, first, make))
        }
        None => Err("the node attestor is not built in".into()),
    }
}

/// A proof of these settings; none if it is a program.
fn built_in_proof(
    settings: &NodeAttestor,
    in_tpm: Option<Arc<keys::Tpm>>,
    token: Option<String>,
) -> Result<Option<Arc<dyn ports::NodeProof>>, Failure> {
    Ok(Some(match settings {
        NodeAttestor::JoinToken => Arc::new(join_token::Agent::new(token)),
        NodeAttestor::X509pop(X509pop::Files { private_key_path, certificate_path, intermediates_path }) => {
            Arc::new(x509pop::Agent::from_files(
                private_key_path.clone(),
                certificate_path.clone(),
                intermediates_path.clone(),
            )?)
        }
        NodeAttestor::X509pop(X509pop::WorkloadApi { address }) => {
            Arc::new(x509pop::Agent::from_source(Arc::new(x509pop::WorkloadApi::at(address)?)))
        }
        NodeAttestor::HttpChallenge(http) => Arc::new(http_challenge::Agent::new(
            http.hostname.clone(),
            http.agentname.clone(),
            http.port.unwrap_or(0),
            http.advertised_port,
        )?),
        NodeAttestor::TpmDevid(tpm) => {
            let agent = tpm_devid(tpm)?;
            Arc::new(match in_tpm {
                Some(keys) => agent.with_keys(keys),
                None => agent,
            })
        }
        NodeAttestor::Sshpop(ssh) => {
            Arc::new(sshpop::Agent::from_files(ssh.host_key_path.clone(), ssh.host_cert_path.clone())?)
        }
        NodeAttestor::External(_) => return Ok(None),
    }))
}

fn tpm_devid(settings: &TpmDevid) -> Result<tpm_devid::Agent, tpm_devid::CredentialError> {
    let password = |password: &config::agent::Password| password.reveal().to_owned().into();
    let passwords = tpm_devid::Passwords {
        devid: password(&settings.devid_password),
        owner_hierarchy: password(&settings.owner_hierarchy_password),
        endorsement_hierarchy: password(&settings.endorsement_hierarchy_password),
    };
    let files = tpm_devid::AgentSettings {
        tpm_device_path: settings.tpm_device_path.clone(),
        devid_cert_path: settings.devid_cert_path.clone(),
        devid_priv_path: settings.devid_priv_path.clone(),
        devid_pub_path: settings.devid_pub_path.clone(),
    };
    tpm_devid::Agent::new(files, passwords)
}

async fn workload_attestor(
    settings: &WorkloadAttestor,
    externals: &Externals,
    reloading: &AgentReloading,
) -> Result<Arc<dyn ports::WorkloadAttestor>, Failure> {
    if let WorkloadAttestor::External(external) = settings {
        let plugin = externals.start("WorkloadAttestor", external).await?;
        return Ok(Arc::new(plugins_external::WorkloadAttestor::new(plugin)));
    }
    match workload::attestor(settings)? {
        Some(first) => Ok(reloading.workload(settings, first)),
        None => Err("there is no such workload attestor".into()),
    }
}

/// Pins the process at the other end by the kernel's word.
fn pin() -> PinPeer {
    Arc::new(|stream| {
        let pinned = peer::Pinned::new(stream, peer::BootTime::now()).map_err(std::io::Error::other)?;
        Ok(Arc::new(pinned) as Arc<dyn ports::Peer>)
    })
}

fn engine_settings(settings: AgentSettings) -> agent::Settings {
    agent::Settings {
        trust_domain: settings.trust_domain,
        server_address: settings.server_address,
        server_port: settings.server_port,
        data_dir: settings.data_dir,
        bootstrap: bootstrap(settings.bootstrap),
        socket_path: settings.socket_path,
        workload_api: settings.workload_api,
        sds: settings.sds.map(sds_names),
        workload_key_type: settings.workload_x509_svid_key_type,
        x509_svid_cache_max_size: settings.x509_svid_cache_max_size,
        jwt_svid_cache_max_size: settings.jwt_svid_cache_max_size,
        availability_target: settings.availability_target,
        allow_unauthenticated_verifiers: settings.allow_unauthenticated_verifiers,
        allowed_foreign_jwt_claims: settings.allowed_foreign_jwt_claims,
        log_selectors: settings.log_selectors,
        sync_interval: settings.sync_interval,
        jwt_svid_cache_hit_timeout: settings.jwt_svid_cache_hit_timeout,
        call_limits: call_limits(settings.call_limits),
        wit_svids: settings.wit_svids,
        version: command::version(),
    }
}

fn sds_names(sds: config::agent::Sds) -> agent::SdsNames {
    agent::SdsNames {
        svid: sds.default_svid_name,
        bundle: sds.default_bundle_name,
        all_bundles: sds.default_all_bundles_name,
        disable_spiffe_cert_validation: sds.disable_spiffe_cert_validation,
    }
}

fn call_limits(limits: config::agent::CallLimits) -> agent::CallLimits {
    agent::CallLimits {
        x509_svid: limits.fetch_x509_svid,
        x509_bundles: limits.fetch_x509_bundles,
        jwt_svid: limits.fetch_jwt_svid,
        jwt_bundles: limits.fetch_jwt_bundles,
        validate_jwt_svid: limits.validate_jwt_svid,
        wit_svid: limits.fetch_wit_svid,
        wit_bundles: limits.fetch_wit_bundles,
        stream_secrets: limits.stream_secrets,
        fetch_secrets: limits.fetch_secrets,
    }
}

fn bootstrap(chosen: config::agent::Bootstrap) -> Bootstrap {
    match chosen {
        config::agent::Bootstrap::File { path, format } => Bootstrap::File { path, format },
        config::agent::Bootstrap::Url { url, format, unix_socket } => {
            Bootstrap::Url { url, unix_socket, format }
        }
        config::agent::Bootstrap::Insecure => Bootstrap::DangerousFirstServer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_is_read_by_its_name() {
        let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/agent/minimal.conf");
        let role = command::agent("bonafide agent");
        for command in role.host.commands {
            let values = kit::flags::parse(command.flags, &["-config".to_owned(), example.to_owned()]);
            // A name that the table does not have would stop the program here.
            assert!(load(&values.unwrap()).is_ok(), "{}", command.path);
        }
    }
}

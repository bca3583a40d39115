//! `server run` and `server validate`.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use ::telemetry::otlp::Waiting;
use config::External;
use config::server::{
    DataStore, KeyManager, NodeAttestor, OpaPolicy, Overrides, ServerSettings, UpstreamAuthority,
};
use kit::clock::Clock;
use kit::flags::Values;
use model::ports;
use plugins_external::{HostServices, ServerIdentity};
use plugins_local::keys;
use server::authority::{AuthoritySettings, JwtSvids, WitSvids, WorkloadSubjects};
use store::sqlite::SqliteLog;

use crate::external::{self, Externals};
use crate::reload::Reloading;
use crate::start::{self, Failure, given};
use crate::{health, node_attestors, profiling, signals, telemetry, upstream};

/// Runs a server until a signal stops it.
pub(crate) fn run(values: &Values) -> Result<(), Failure> {
    let (source, flags) = given_files(values)?;
    let settings = config::server::load(&source, &flags)?;
    let (spans, waiting) = telemetry::spans(&settings.telemetry, telemetry::SERVER_SPANS)?;
    let log = kit::log::init_beside(settings.log.clone(), spans)?;
    start::safe_umask();
    settings.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    tracing::info!(
        admin_ids = ?settings.admin_ids.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        data_dir = %settings.data_dir.display(),
        "Configured"
    );
    start::runtime()?.block_on(async {
        let stop = signals::stop_on_signal()?;
        signals::reopen_on_signal(log.clone())?;
        let reloading = Reloading::default();
        reloading.on_signal(move || Ok(config::server::load(&source, &flags)?))?;
        serve(settings, log, reloading, waiting, stop, |_| {}).await
    })
}

/// Runs a server with these settings until `stop`.
pub(crate) async fn serve(
    settings: ServerSettings,
    log: kit::log::Control,
    reloading: Reloading,
    spans: Option<Waiting>,
    stop: tokio_util::sync::CancellationToken,
    ready: impl FnOnce(server::Ready) + Send,
) -> Result<(), Failure> {
    std::fs::create_dir_all(&settings.data_dir)
        .map_err(|e| format!("cannot create the data directory {}: {e}", settings.data_dir.display()))?;
    let up: Arc<OnceLock<server::Ready>> = Arc::default();
    let externals = Externals::new(settings.trust_domain.clone(), host_services(&up));
    let served = serve_with(settings, (log, reloading, spans), stop, up, &externals, ready).await;
    externals.stop().await;
    tracing::info!("Catalog closed");
    if served.is_ok() {
        tracing::info!("Server stopped gracefully");
    }
    served
}

/// As [`serve`], with the external plugins that it starts.
async fn serve_with(
    settings: ServerSettings,
    (log, reloading, spans): (kit::log::Control, Reloading, Option<Waiting>),
    stop: tokio_util::sync::CancellationToken,
    up: Arc<OnceLock<server::Ready>>,
    externals: &Externals,
    ready: impl FnOnce(server::Ready) + Send,
) -> Result<(), Failure> {
    let bind = resolve(&settings.bind_address, settings.bind_port)?;
    let adapters = adapters(&settings, log, reloading, externals).await?;
    tell_built_in(&settings);
    externals.reload_on_signal()?;
    let asked = up.clone();
    let check = health::Check::by(move || subsystems(asked.get().cloned()));
    let own: Arc<OnceLock<_>> = Arc::default();
    let shown = own.clone();
    let identity = telemetry::Own::when(move || shown.get().cloned());
    let measured = telemetry::Role {
        name: "spire_server",
        set: &server::metrics::METRICS,
        table: server::metrics::TABLE,
        started: &server::metrics::STARTED,
        uptime: &server::metrics::UPTIME,
    };
    let telemetry = telemetry::start(
        measured,
        &settings.telemetry,
        &settings.trust_domain,
        identity,
        spans,
        stop.clone(),
    )?;
    let known = telemetry::domains(&settings.telemetry);
    let profiling = profiling::start("server", settings.profiling.as_ref(), &stop);
    let health = health::serve(&settings.health_checks, check, stop.clone()).await?;
    let outcome = server::run(
        server::Settings {
            trust_domain: settings.trust_domain.clone(),
            bind,
            socket_path: settings.socket_path.clone(),
            admin_ids: settings.admin_ids.iter().cloned().collect(),
            agent_id_as_selector: settings.agent_spiffe_id_as_selector,
            rate_limits: server::authz::RateLimits {
                attestation: settings.rate_limit.attestation,
                signing: settings.rate_limit.signing,
            },
            audit_log: settings.audit_log_enabled,
            trusted_proxies: settings.proxy_protocol_trusted_cidrs.clone(),
            connection_age: server::CONNECTION_AGE,
            prune: settings.prune.map(|prune| server::Prune {
                expired_for: prune.expired_for,
                batch_size: prune.batch_size,
                tofu: prune.tofu,
            }),
            authority: authority(&settings),
        },
        adapters,
        Clock::system(),
        stop.clone(),
        |running: server::Ready| {
            let _ = up.set(running.clone());
            let _ = own.set((running.identity(), running.bundles(known)));
            ready(running);
        },
    )
    .await;
    stop.cancel();
    health.await;
    telemetry.await;
    profiling.await;
    Ok(outcome?)
}

/// What external plugins find at this server, once it answers.
fn host_services(up: &Arc<OnceLock<server::Ready>>) -> HostServices {
    let (one, other) = (up.clone(), up.clone());
    HostServices {
        metrics: Some(external::measure(&server::metrics::METRICS)),
        identity: Some(Arc::new(move || {
            let ready = one.get()?;
            let (credentials, bundle) = (ready.credentials()?, ready.own_bundle()?);
            let chain = credentials.svid().chain().iter().map(|one| one.der().to_vec()).collect();
            Some(ServerIdentity { chain, key: credentials.key(), bundle })
        })),
        agents: Some(Arc::new(move |id| Some(other.get()?.knows_agent(id)))),
    }
}

/// How every part of a server is, before it answers too.
async fn subsystems(running: Option<server::Ready>) -> Vec<health::Subsystem> {
    let Some(running) = running else {
        let what =
            "the registry to be loaded, the signing authorities to be there, and the listeners to be open";
        return vec![health::Subsystem::waiting("server", what)];
    };
    let detail = |name| match name {
        "server.ca" => "sign_x509_svid_err",
        "server.ca.rotator" => "rotation_err",
        "catalog.datastore" => "list_bundle_err",
        _ => "get_bundle_err",
    };
    let told = running.subsystems().await.into_iter();
    told.map(|part| match part.failure {
        None => health::Subsystem::well(part.name),
        Some(why) => health::Subsystem::failed(part.name, detail(part.name), why),
    })
    .collect()
}

/// Checks a configuration, the files it names included.
pub(crate) fn validate(values: &Values) -> ExitCode {
    match load(values) {
        Ok(settings) => {
            let attestors = settings
                .node_attestors
                .iter()
                .flat_map(|a| node_attestors::faults(&settings.trust_domain, a));
            let policy = policy(&settings).err().map(|e| e.to_string());
            let externals = match start::runtime() {
                Ok(runtime) => runtime.block_on(external_faults(&settings)),
                Err(error) => vec![error.to_string()],
            };
            let faults: Vec<String> = attestors.chain(policy).chain(externals).collect();
            match faults.is_empty() {
                true => start::tell_validation("server", Ok::<_, String>(settings.warnings)),
                false => start::tell_validation("server", Err(faults.join("\n  "))),
            }
        }
        Err(failure) => start::tell_validation("server", Err(failure)),
    }
}

/// What is wrong with the external plugins, as they say themselves.
async fn external_faults(settings: &ServerSettings) -> Vec<String> {
    let mut all: Vec<(&'static str, &External)> = Vec::new();
    if let KeyManager::External(external) = &settings.key_manager {
        all.push(("KeyManager", external));
    }
    for attestor in &settings.node_attestors {
        if let NodeAttestor::External(external) = attestor {
            all.push(("NodeAttestor", external));
        }
    }
    if let Some(UpstreamAuthority::External(external)) = &settings.upstream_authority {
        all.push(("UpstreamAuthority", external));
    }
    all.extend(settings.notifiers.iter().map(|external| ("Notifier", external)));
    all.extend(settings.bundle_publishers.iter().map(|external| ("BundlePublisher", external)));
    let mut faults = Vec::new();
    for (kind, external) in all {
        // Services of a server that does not answer yet.
        let host = host_services(&Arc::default());
        faults.extend(external::faults(kind, external, &settings.trust_domain, host).await);
    }
    faults
}

/// The policy that is to stand in the place of the server's own rules, if there is one.
fn policy(settings: &ServerSettings) -> Result<Option<Arc<dyn ports::CallPolicy>>, Failure> {
    let Some(OpaPolicy { rego_path, policy_data_path }) = &settings.policy else { return Ok(None) };
    let policy = plugins_opa::Policy::load(rego_path, policy_data_path.as_deref());
    let policy = policy.map_err(|e| format!("auth_opa_policy_engine: {}", start::chain(&e)))?;
    Ok(Some(Arc::new(policy)))
}

fn load(values: &Values) -> Result<ServerSettings, Failure> {
    let (source, flags) = given_files(values)?;
    Ok(config::server::load(&source, &flags)?)
}

/// The file that is named, and the flags that stand over it.
fn given_files(values: &Values) -> Result<(config::Source, Overrides), Failure> {
    let source = config::read(Path::new(values.text("config")), values.switch("expandEnv"))?;
    let flags = Overrides {
        bind_address: given(values, "bindAddress"),
        server_port: values.given("serverPort").then(|| values.integer("serverPort")),
        data_dir: given(values, "dataDir"),
        log_file: given(values, "logFile"),
        log_format: given(values, "logFormat"),
        log_level: given(values, "logLevel"),
        log_source_location: values.switch("logSourceLocation"),
        socket_path: given(values, "socketPath"),
        trust_domain: given(values, "trustDomain"),
    };
    Ok((source, flags))
}

fn resolve(host: &str, port: u16) -> Result<SocketAddr, Failure> {
    (host, port).to_socket_addrs().ok().and_then(|mut all| all.next()).ok_or_else(|| {
        format!("bind_address \"{host}\" is no address of this machine and no name that resolves to one")
            .into()
    })
}

async fn adapters(
    settings: &ServerSettings,
    logger: kit::log::Control,
    reloading: Reloading,
    externals: &Externals,
) -> Result<server::Adapters, Failure> {
    let DataStore::Sqlite(sqlite) = &settings.data_store;
    let mut options = store::sqlite::Options::default();
    if let Some(connections) = sqlite.max_open_conns {
        options.readers = usize::try_from(connections).unwrap_or(usize::MAX);
    }
    if sqlite.disable_migration {
        options.migration = store::sqlite::Migration::Refused;
    }
    let log = Arc::new(SqliteLog::open(&sqlite.connection_string, options).await?);
    let keys: Arc<dyn ports::KeyManager> = match &settings.key_manager {
        KeyManager::Memory => Arc::new(keys::Memory::new()),
        KeyManager::Disk { keys_path } => reloading.keys(keys_path)?,
        KeyManager::External(external) => {
            let plugin = externals.start("KeyManager", external).await?;
            Arc::new(plugins_external::KeyManager::new(plugin, plugins_external::Side::Server))
        }
    };
    for attestor in &settings.node_attestors {
        if let Some(fault) = node_attestors::faults(&settings.trust_domain, attestor).first() {
            return Err(format!("NodeAttestor {fault}").into());
        }
    }
    let upstream = upstream::open(settings, externals, &reloading).await?;
    let (built_in, programs) = attestors(settings, externals).await?;
    let td = settings.trust_domain.clone();
    Ok(server::Adapters {
        log,
        logger,
        keys,
        upstream,
        policy: policy(settings)?,
        audience: audience(settings, externals).await?,
        attestors: Box::new(move |tokens, own| {
            let make = move |settings: &NodeAttestor| node_attestors::make(&td, settings, &tokens, &own);
            let mut all = reloading.attestors(&built_in, Arc::new(make));
            all.extend(programs);
            all
        }),
    })
}

/// Tells of the plugins that are built in; external ones are told of when they have started.
fn tell_built_in(settings: &ServerSettings) {
    start::loaded("DataStore", "sql");
    match &settings.key_manager {
        KeyManager::Memory => start::loaded("KeyManager", "memory"),
        KeyManager::Disk { .. } => start::loaded("KeyManager", "disk"),
        KeyManager::External(_) => {}
    }
    settings.node_attestors.iter().filter_map(node_attestors::name).for_each(|name| {
        start::loaded("NodeAttestor", name);
    });
    match &settings.upstream_authority {
        Some(UpstreamAuthority::Disk { .. }) => start::loaded("UpstreamAuthority", "disk"),
        Some(UpstreamAuthority::Spire { .. }) => start::loaded("UpstreamAuthority", "spire"),
        Some(UpstreamAuthority::External(_)) | None => {}
    }
    if settings.unique_ids {
        start::loaded("CredentialComposer", "uniqueid");
    }
}

/// The settings of the attestors that are built in, and those that are programs, started.
async fn attestors(
    settings: &ServerSettings,
    externals: &Externals,
) -> Result<(Vec<NodeAttestor>, Vec<Arc<dyn ports::NodeAttestor>>), Failure> {
    let (mut built_in, mut programs) = (Vec::new(), Vec::new());
    for attestor in &settings.node_attestors {
        match attestor {
            NodeAttestor::External(external) => {
                let plugin = externals.start("NodeAttestor", external).await?;
                let attestor = plugins_external::NodeAttestor::new(plugin, settings.trust_domain.clone());
                programs.push(Arc::new(attestor) as Arc<dyn ports::NodeAttestor>);
            }
            other => built_in.push(other.clone()),
        }
    }
    Ok((built_in, programs))
}

/// Who is told of the trust bundle.
async fn audience(settings: &ServerSettings, externals: &Externals) -> Result<server::Audience, Failure> {
    let mut audience = server::Audience::default();
    for external in &settings.notifiers {
        let plugin = externals.start("Notifier", external).await?;
        audience.notifiers.push(Arc::new(plugins_external::Notifier::new(plugin)));
    }
    for external in &settings.bundle_publishers {
        let plugin = externals.start("BundlePublisher", external).await?;
        audience.publishers.push(Arc::new(plugins_external::BundlePublisher::new(plugin)));
    }
    Ok(audience)
}

fn authority(settings: &ServerSettings) -> AuthoritySettings {
    AuthoritySettings {
        ca_ttl: settings.ca_ttl,
        ca_key_type: settings.ca_key_type,
        jwt_key_type: settings.jwt_key_type,
        ca_subject: spiffe::x509::CaSubject {
            country: settings.ca_subject.country.clone(),
            organization: settings.ca_subject.organization.clone(),
            common_name: settings.ca_subject.common_name.clone(),
        },
        x509_svid_ttl: settings.default_x509_svid_ttl,
        jwt_svid_ttl: settings.default_jwt_svid_ttl,
        agent_svid_ttl: settings.agent_ttl,
        jwt_issuer: settings.jwt_issuer.clone(),
        workload_subjects: match settings.unique_ids {
            true => WorkloadSubjects::Unique,
            false => WorkloadSubjects::Alike,
        },
        wit_svids: settings
            .wit
            .as_ref()
            .map(|wit| WitSvids { key_type: wit.key_type, issuer: wit.issuer.clone() }),
        jwt_svids: if settings.disable_jwt_svids { JwtSvids::Disabled } else { JwtSvids::Enabled },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command;

    #[test]
    fn every_flag_is_read_by_its_name() {
        let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/server/minimal.conf");
        let role = command::server("bonafide server");
        for command in role.host.commands {
            let values = kit::flags::parse(command.flags, &["-config".to_owned(), example.to_owned()]);
            // A name that the table does not have would stop the program here.
            assert!(load(&values.unwrap()).is_ok(), "{}", command.path);
        }
    }
}

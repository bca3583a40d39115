//! The server, put together and run.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kit::clock::Clock;
use kit::oversized::OversizedLayer;
use kit::rpc::{DeadlineLayer, MeasuredLayer, PatienceLayer};
use model::ports::{
    CallPolicy, ChangeLog, KeyManager, LogError, NodeAttestor, TokenSpender, UpstreamAuthority,
};
use proto::bonafide::feed::v1::feed_server::FeedServer;
use proto::spire::api::server::agent::v1::agent_server::AgentServer;
use proto::spire::api::server::bundle::v1::bundle_server::BundleServer;
use proto::spire::api::server::debug::v1::debug_server::DebugServer;
use proto::spire::api::server::entry::v1::entry_server::EntryServer;
use proto::spire::api::server::localauthority::v1::local_authority_server::LocalAuthorityServer;
use proto::spire::api::server::logger::v1::logger_server::LoggerServer;
use proto::spire::api::server::svid::v1::svid_server::SvidServer;
use proto::spire::api::server::trustdomain::v1::trust_domain_server::TrustDomainServer;
use spiffe::x509::Certificate;
use spiffe::{SpiffeId, TrustDomain};
use spiffe_tls::{ClientAuth, peer_svid, server_config};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;

use crate::api::agent::{AgentApi, RegistryTokens};
use crate::api::authorized::AuthorizedEntries;
use crate::api::bundle::BundleApi;
use crate::api::debug::DebugApi;
use crate::api::entry::EntryApi;
use crate::api::health;
use crate::api::local_authority::LocalAuthorityApi;
use crate::api::logger::LoggerApi;
use crate::api::svid::SvidApi;
use crate::api::trustdomain::TrustDomainApi;
use crate::audit::{AuditLayer, Auditor};
use crate::authority::{Authorities, AuthorityError, AuthoritySettings};
use crate::authz::{Authorizer, AuthzLayer, Limiter, Peer, RateLimits, table};
use crate::feed::{FeedApi, Hub};
use crate::listen::accept_tls;
use crate::metered::{MeteredKeys, MeteredLog, Standing};
use crate::publish::{Audience, Objection};
use crate::ready::Ready;
use crate::registry::{Observer, Registry};
use crate::same_domain::{self, OtherDomain};
use crate::signing::SigningPool;
use crate::sweep::{self, Deadlines, Prune};
use crate::trust::TrustStore;

/// The largest message a caller may send, as gRPC's default.
const MAX_MESSAGE: usize = 4 << 20;
/// How long requests under way may take once the server is told to stop (SPIRE 1.16).
const DRAIN: Duration = Duration::from_secs(10);
/// How long a caller may keep a request open without sending any of it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many calls one connection may have under way; further ones wait at the caller.
const CALLS: u32 = 256;
/// How often a feed that nothing concerns is told how far the log has come.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How long a connection of the TCP port goes on unless told otherwise (SPIRE 1.16): then calls go on over a new one,
/// which may be to another server behind the same name.
pub const CONNECTION_AGE: Duration = Duration::from_secs(180);

/// Counts the calls of methods that the table has.
const MEASURED: MeasuredLayer = MeasuredLayer { calls: &crate::metrics::RPC, known: method };

/// An agent at rest has nothing to acknowledge on its feed; every other request is whole, or spoken in turns.
const PATIENT: PatienceLayer = PatienceLayer { limit: PATIENCE, spared: |path| path == table::FEED };

fn method(path: &str) -> Option<&'static str> {
    table::find(path).map(|row| row.method)
}

/// What the operator chose, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// This server's trust domain.
    pub trust_domain: TrustDomain,
    /// Where agents come in.
    pub bind: SocketAddr,
    /// The admin socket.
    pub socket_path: PathBuf,
    /// Administrators by configuration.
    pub admin_ids: HashSet<SpiffeId>,
    /// Whether each agent also gets the selector `spiffe_id:<its ID>`.
    pub agent_id_as_selector: bool,
    /// How often an address may ask.
    pub rate_limits: RateLimits,
    /// Whether each call leaves a record in the log.
    pub audit_log: bool,
    /// The load balancers that are believed where their clients are (PROXY protocol).
    pub trusted_proxies: Vec<kit::cidr::Cidr>,
    /// How long a connection of the TCP port goes on; calls under way are finished on it.
    pub connection_age: Duration,
    /// Which agents are purged that have been expired for long.
    pub prune: Option<Prune>,
    /// Lifetimes, key types, names.
    pub authority: AuthoritySettings,
}

/// The adapters that the program chose.
pub struct Adapters {
    /// The registry's database.
    pub log: Arc<dyn ChangeLog>,
    /// Where the authorities' keys are.
    pub keys: Arc<dyn KeyManager>,
    /// What signs this server's X.509 CA; it signs its own without one.
    pub upstream: Option<Arc<dyn UpstreamAuthority>>,
    /// Makes the node attestors.
    pub attestors: MakeAttestors,
    /// The log of this process, whose level the logger service changes.
    pub logger: kit::log::Control,
    /// Decides who may call what, in the place of the table.
    pub policy: Option<Arc<dyn CallPolicy>>,
    /// Who is told of the trust bundle.
    pub audience: Audience,
}

/// The X.509 authorities of this trust domain as they stand, for attestors that trust its own SVIDs.
pub type OwnAuthorities = Arc<dyn Fn() -> Vec<Certificate> + Send + Sync>;

/// Makes the node attestors, given what spends join tokens and the own authorities.
pub type MakeAttestors =
    Box<dyn FnOnce(Arc<dyn TokenSpender>, OwnAuthorities) -> Vec<Arc<dyn NodeAttestor>> + Send>;

/// Why the server did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The registry could not be read.
    #[error("the registry cannot be read")]
    Registry(#[source] LogError),
    /// The authorities could not be brought up.
    #[error("the signing authorities cannot be brought up")]
    Authorities(#[source] AuthorityError),
    /// The registry is another trust domain's.
    #[error(transparent)]
    OtherDomain(#[from] OtherDomain),
    /// Who was told of the bundle objected.
    #[error("failed to notify of the trust bundle")]
    Notify(#[from] Objection),
    /// The signing threads could not be started.
    #[error("the signing threads cannot be started")]
    Threads(#[source] crate::signing::StartError),
    /// The port could not be opened.
    #[error("cannot listen on {address}: {cause}; {hint}")]
    Port {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        cause: std::io::Error,
        /// What to do.
        hint: &'static str,
    },
    /// The admin socket could not be opened.
    #[error("cannot open the admin socket")]
    Socket(#[source] kit::uds::UdsError),
    /// TLS could not be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// A listener failed.
    #[error("a listener failed")]
    Serve(#[source] tonic::transport::Error),
}

/// Runs a server until `stop`; `ready` is called once it answers.
pub async fn run(
    settings: Settings,
    adapters: Adapters,
    clock: Clock,
    stop: CancellationToken,
    ready: impl FnOnce(Ready) + Send,
) -> Result<(), ServerError> {
    let trust = TrustStore::new(&settings.trust_domain, &settings.admin_ids);
    let (hub, deadlines) = (Hub::new(), Deadlines::new());
    let observers: Vec<Arc<dyn Observer>> =
        vec![hub.clone(), deadlines.clone(), trust.clone(), Arc::new(Standing::default())];
    let log = Arc::new(MeteredLog::new(adapters.log, settings.trust_domain.clone()));
    tracing::info!(subsystem_name = "endpoints", "Building in-memory entry cache");
    let registry = Registry::open(log, observers).await.map_err(ServerError::Registry)?;
    tracing::info!(
        entries = registry.snapshot().entry_count(),
        agents = registry.snapshot().agent_count(),
        number = registry.snapshot().cursor().number,
        "Registry loaded"
    );
    same_domain::check(&registry.snapshot(), &settings.trust_domain)?;
    tracing::info!(subsystem_name = "endpoints", "Completed building in-memory entry cache");

    let pool = SigningPool::start().map_err(ServerError::Threads)?;
    let authorities = Authorities::open(
        settings.trust_domain.clone(),
        settings.authority.clone(),
        registry.clone(),
        Arc::new(MeteredKeys(adapters.keys)),
        adapters.upstream.clone(),
        pool,
        clock.clone(),
    )
    .await
    .map_err(ServerError::Authorities)?;
    adapters.audience.loaded(&registry, &settings.trust_domain).await?;

    let listener = bind(settings.bind).await?;
    let address = listener.local_addr().unwrap_or(settings.bind);
    let socket = kit::uds::Listener::bind(&settings.socket_path, 0o770).map_err(ServerError::Socket)?;

    let tokens: Arc<dyn TokenSpender> =
        Arc::new(RegistryTokens { registry: registry.clone(), clock: clock.clone() });
    let own: OwnAuthorities = {
        let (registry, td) = (registry.clone(), settings.trust_domain.clone());
        Arc::new(move || {
            let snapshot = registry.snapshot();
            let own = snapshot.bundle(&td).map(|b| b.x509_authorities());
            own.unwrap_or_default().iter().map(|a| a.certificate.clone()).collect()
        })
    };
    let attestors: HashMap<_, _> =
        (adapters.attestors)(tokens, own).into_iter().map(|a| (a.name(), a)).collect();
    let authorizer = Arc::new(Authorizer {
        trust_domain: settings.trust_domain.clone(),
        admin_ids: settings.admin_ids.clone(),
        registry: registry.clone(),
        clock: clock.clone(),
        limiter: Arc::new(Limiter::new(settings.rate_limits)),
        policy: adapters.policy,
    });
    let auditor = settings.audit_log.then(|| Arc::new(Auditor { admin_ids: settings.admin_ids.clone() }));
    let services = Services {
        agent: AgentApi {
            trust_domain: settings.trust_domain.clone(),
            registry: registry.clone(),
            authorities: authorities.clone(),
            attestors: Arc::new(attestors),
            clock: clock.clone(),
            deadlines: deadlines.clone(),
            agent_id_as_selector: settings.agent_id_as_selector,
        },
        hub: hub.clone(),
        registry: registry.clone(),
        authorities: authorities.clone(),
        upstream: adapters.upstream,
        settings: settings.clone(),
        clock: clock.clone(),
        logger: adapters.logger.clone(),
    };

    let bundles = trust.bundles();
    let mut tls = {
        let clock = clock.clone();
        server_config(
            authorities.server_identity(),
            bundles.clone(),
            ClientAuth::Request,
            Arc::new(move || clock.now()),
        )
        .map_err(|e| ServerError::Tls(e.to_string()))?
    };
    // gRPC's clients refuse a server that does not choose HTTP/2.
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let identify = {
        let clock = clock.clone();
        let (own, admins) = (settings.trust_domain.clone(), settings.admin_ids.clone());
        Arc::new(move |chain: &[rustls_pki_types::CertificateDer<'static>]| {
            let svid = peer_svid(chain, &bundles.load(), clock.now()).ok()?;
            // A foreign trust domain is trusted for its administrators that the configuration names, and for no other.
            (svid.id().member_of(&own) || admins.contains(svid.id())).then_some(svid)
        })
    };

    // Background tasks outlive the listeners by nothing: they stop with the same token.
    let authority_task = tokio::spawn(authorities.clone().run(stop.clone()));
    let publish_task = {
        let audience = adapters.audience;
        tokio::spawn(audience.follow(registry.clone(), settings.trust_domain.clone(), stop.clone()))
    };
    let sweep_task =
        tokio::spawn(sweep::run(registry.clone(), deadlines, settings.prune, clock, stop.clone()));

    let connections = accept_tls(
        listener,
        tokio_rustls::TlsAcceptor::from(Arc::new(tls)),
        identify,
        settings.trusted_proxies.clone().into(),
        stop.clone(),
    );
    tracing::info!(address = %address, network = "tcp", "Starting Server APIs");
    let tcp = server()
        .max_connection_age(settings.connection_age)
        .layer(MEASURED)
        .layer(DeadlineLayer)
        .layer(PATIENT)
        .layer(OversizedLayer)
        .layer(AuthzLayer(authorizer.clone()))
        .layer(AuditLayer(auditor.clone()))
        .add_routes(services.remote())
        .serve_with_incoming_shutdown(connections, stop.clone().cancelled_owned());
    tracing::info!(address = %settings.socket_path.display(), network = "unix", "Starting Server APIs");
    let uds = server()
        .layer(MEASURED)
        .layer(DeadlineLayer)
        .layer(PATIENT)
        .layer(OversizedLayer)
        .layer(AuthzLayer(authorizer))
        .layer(AuditLayer(auditor))
        .add_routes(services.local())
        .serve_with_incoming_shutdown(
            socket.connections(Arc::new(local_peer)),
            stop.clone().cancelled_owned(),
        );

    ready(Ready { address, authorities, registry: registry.clone() });
    let both = async { tokio::try_join!(tcp, uds) };
    let forced = async {
        stop.cancelled().await;
        tracing::info!("Stopping Server APIs");
        hub.drain();
        tokio::time::sleep(DRAIN).await;
    };
    let outcome = tokio::select! {
        // Told to stop, it says so before the listeners have ended.
        biased;
        () = forced => Ok(()),
        served = both => served.map(|_| ()).map_err(ServerError::Serve),
    };
    stop.cancel();
    tracing::info!("Server APIs have stopped");
    let _ = tokio::join!(authority_task, sweep_task, publish_task);
    outcome
}

/// Who opened the admin socket. Its mode is the check: whoever can open it is an administrator.
fn local_peer(stream: &tokio::net::UnixStream) -> std::io::Result<Arc<Peer>> {
    let cred = stream.peer_cred()?;
    Ok(Arc::new(Peer::Local { uid: cred.uid(), gid: cred.gid(), pid: cred.pid() }))
}

fn server() -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .max_concurrent_streams(CALLS)
        .tcp_nodelay(true)
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|cause| ServerError::Port {
        address,
        hint: match cause.kind() {
            std::io::ErrorKind::AddrInUse => {
                "another process has the port: stop it, or choose another with bind_port or -serverPort"
            }
            std::io::ErrorKind::PermissionDenied => {
                "ports below 1024 need the right to bind them: choose another bind_port"
            }
            std::io::ErrorKind::AddrNotAvailable => {
                "no interface of this machine has that address: check bind_address"
            }
            _ => "check bind_address and bind_port",
        },
        cause,
    })
}

/// The services, as each listener gets them.
struct Services {
    agent: AgentApi,
    hub: Arc<Hub>,
    registry: Arc<Registry>,
    authorities: Authorities,
    upstream: Option<Arc<dyn UpstreamAuthority>>,
    settings: Settings,
    clock: Clock,
    logger: kit::log::Control,
}

impl Services {
    /// Those of both listeners.
    fn common(&self) -> Routes {
        let trust_domain = &self.settings.trust_domain;
        let entry = EntryApi {
            trust_domain: trust_domain.clone(),
            registry: self.registry.clone(),
            clock: self.clock.clone(),
        };
        let bundle = BundleApi::new(trust_domain.clone(), self.registry.clone(), self.upstream.clone());
        let svid = SvidApi::new(self.authorities.clone(), self.registry.clone(), self.clock.clone());
        let trust_domains = TrustDomainApi::new(trust_domain.clone(), self.registry.clone());
        let local_authority = LocalAuthorityApi::new(self.authorities.clone());
        let mut routes = tonic::service::RoutesBuilder::default();
        routes
            .add_service(AgentServer::new(self.agent.clone()).max_decoding_message_size(MAX_MESSAGE))
            .add_service(AuthorizedEntries::before(
                EntryServer::new(entry).max_decoding_message_size(MAX_MESSAGE),
                self.registry.clone(),
                MAX_MESSAGE,
            ))
            .add_service(BundleServer::new(bundle).max_decoding_message_size(MAX_MESSAGE))
            .add_service(SvidServer::new(svid).max_decoding_message_size(MAX_MESSAGE))
            .add_service(TrustDomainServer::new(trust_domains).max_decoding_message_size(MAX_MESSAGE))
            .add_service(LocalAuthorityServer::new(local_authority).max_decoding_message_size(MAX_MESSAGE));
        routes.routes()
    }

    fn remote(&self) -> Routes {
        let feed = FeedApi {
            trust_domain: self.settings.trust_domain.clone(),
            registry: self.registry.clone(),
            hub: self.hub.clone(),
            clock: self.clock.clone(),
            heartbeat: HEARTBEAT,
        };
        self.common().add_service(FeedServer::new(feed).max_decoding_message_size(MAX_MESSAGE))
    }

    fn local(&self) -> Routes {
        let debug = DebugApi::new(self.authorities.clone(), self.registry.clone(), self.clock.clone());
        let routes = self
            .common()
            .add_service(health::service(self.authorities.clone(), self.registry.clone()))
            .add_service(DebugServer::new(debug).max_decoding_message_size(MAX_MESSAGE))
            .add_service(
                LoggerServer::new(LoggerApi::new(self.logger.clone())).max_decoding_message_size(MAX_MESSAGE),
            );
        let descriptors = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                .with_service_name("spire.api.server.agent.v1.Agent")
                .with_service_name("spire.api.server.bundle.v1.Bundle")
                .with_service_name("spire.api.server.entry.v1.Entry")
                .with_service_name("spire.api.server.localauthority.v1.LocalAuthority")
                .with_service_name("spire.api.server.svid.v1.SVID")
                .with_service_name("spire.api.server.trustdomain.v1.TrustDomain")
                .with_service_name("spire.api.server.logger.v1.Logger")
                .with_service_name("spire.api.server.debug.v1.Debug")
                .with_service_name("grpc.health.v1.Health")
        };
        match (descriptors().build_v1(), descriptors().build_v1alpha()) {
            (Ok(v1), Ok(v1alpha)) => routes.add_service(v1).add_service(v1alpha),
            (Err(error), _) | (_, Err(error)) => {
                tracing::warn!(error = %error, "gRPC reflection is off: the descriptors cannot be read");
                routes
            }
        }
    }
}

#[cfg(test)]
mod tests;

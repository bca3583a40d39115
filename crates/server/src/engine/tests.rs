//! The whole server in this process, on its real database.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use model::ports::ChangeLog as _;
use proto::spire::api::server::bundle::v1::GetBundleRequest;
use proto::spire::api::server::bundle::v1::bundle_client::BundleClient;
use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::spire::api::server::entry::v1::{BatchCreateEntryRequest, ListEntriesRequest};
use proto::spire::api::types;
use spiffe::TrustDomain;
use store::sqlite::{Options, SqliteLog};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use super::{Adapters, CONNECTION_AGE, ServerError, Settings, run};
use crate::Ready;
use crate::authority::AuthoritySettings;
use crate::authz::RateLimits;
use crate::testing::MemoryKeys;

async fn socket(path: std::path::PathBuf) -> Channel {
    Endpoint::from_static("http://localhost")
        .connect_with_connector(tower::service_fn(move |_| {
            let path = path.clone();
            async move { tokio::net::UnixStream::connect(path).await.map(hyper_util::rt::TokioIo::new) }
        }))
        .await
        .unwrap()
}

/// A server that runs in this process, in a folder of its own.
struct Running {
    folder: tempfile::TempDir,
    log: Arc<SqliteLog>,
    ready: Ready,
    stop: CancellationToken,
    server: tokio::task::JoinHandle<Result<(), ServerError>>,
}

impl Running {
    /// With `change` made to ordinary settings.
    async fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("db.sqlite3");
        let log = Arc::new(SqliteLog::open(database.to_str().unwrap(), Options::default()).await.unwrap());
        let mut settings = Settings {
            trust_domain: TrustDomain::parse("example.org").unwrap(),
            bind: ([127, 0, 0, 1], 0).into(),
            socket_path: folder.path().join("api.sock"),
            admin_ids: HashSet::new(),
            agent_id_as_selector: false,
            rate_limits: RateLimits::default(),
            audit_log: false,
            trusted_proxies: Vec::new(),
            connection_age: CONNECTION_AGE,
            prune: None,
            authority: AuthoritySettings::default(),
        };
        change(&mut settings);
        let adapters = Adapters {
            log: log.clone(),
            keys: Arc::new(MemoryKeys::default()),
            upstream: None,
            attestors: Box::new(|_, _| Vec::new()),
            logger: kit::log::layer::<tracing_subscriber::Registry>(kit::log::Options::default()).unwrap().1,
            policy: None,
            audience: crate::publish::Audience::default(),
        };
        let (stop, (say, said)) = (CancellationToken::new(), oneshot::channel());
        let server =
            tokio::spawn(run(settings, adapters, kit::clock::Clock::system(), stop.clone(), move |ready| {
                assert!(say.send(ready).is_ok());
            }));
        Self { folder, log, ready: said.await.unwrap(), stop, server }
    }

    async fn socket(&self) -> Channel {
        socket(self.folder.path().join("api.sock")).await
    }

    async fn stop(self) {
        self.stop.cancel();
        self.server.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_server_asks_its_database_nothing() {
    let running = Running::start(|_| {}).await;
    let log = running.log.clone();

    // A write is answered by statements; after it there is rest. Reading asks the database nothing.
    let mut entries = EntryClient::new(running.socket().await);
    let id = |path: &str| Some(types::Spiffeid { trust_domain: "example.org".into(), path: path.into() });
    let entry = types::Entry {
        spiffe_id: id("/a"),
        parent_id: id("/node"),
        selectors: vec![types::Selector { r#type: "unix".into(), value: "uid:1".into() }],
        ..types::Entry::default()
    };
    let before = log.statements();
    let request = BatchCreateEntryRequest { entries: vec![entry], output_mask: None };
    entries.batch_create_entry(request).await.unwrap();
    let written = log.statements();
    assert!(written > before, "the test counts statements");
    for _ in 0..10 {
        let listed = entries.list_entries(ListEntriesRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.entries.len(), 1);
    }
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(log.statements(), written);

    running.stop().await;
}

/// A client of the TLS port without a certificate, and how many connections it has made.
fn tls(running: &Running) -> (Channel, Arc<AtomicUsize>) {
    let own = TrustDomain::parse("example.org").unwrap();
    let bundles = running.ready.bundles([own.clone()].into());
    let server = spiffe::SpiffeId::new(&own, "/spire/server").unwrap();
    let now = Arc::new(std::time::SystemTime::now);
    let mut config =
        spiffe_tls::client_config(None, bundles, spiffe_tls::Authorize::Id(server), now).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (tls, made) = (tokio_rustls::TlsConnector::from(Arc::new(config)), Arc::new(AtomicUsize::new(0)));
    let (address, count) = (running.ready.address, made.clone());
    let connect = tower::service_fn(move |_| {
        let tls = tls.clone();
        count.fetch_add(1, Ordering::Relaxed);
        async move {
            let stream = tokio::net::TcpStream::connect(address).await?;
            tls.connect(address.ip().into(), stream).await.map(hyper_util::rt::TokioIo::new)
        }
    });
    (Endpoint::from_static("http://localhost").connect_with_connector_lazy(connect), made)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_old_is_left_for_a_new_one_and_no_call_fails() {
    let running = Running::start(|settings| settings.connection_age = Duration::from_millis(200)).await;
    let (channel, connections) = tls(&running);
    let mut bundles = BundleClient::new(channel);
    let end = tokio::time::Instant::now() + Duration::from_secs(3);
    while connections.load(Ordering::Relaxed) < 4 {
        assert!(tokio::time::Instant::now() < end, "{connections:?} connections in three seconds");
        bundles.get_bundle(GetBundleRequest::default()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.stop().await;
}

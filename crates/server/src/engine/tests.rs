//! The whole server in this process, on its real database.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use model::ports::ChangeLog;
use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::spire::api::server::entry::v1::{BatchCreateEntryRequest, ListEntriesRequest};
use proto::spire::api::types;
use spiffe::TrustDomain;
use store::sqlite::{Options, SqliteLog};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use super::{Adapters, Settings, run};
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

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_server_asks_its_database_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("db.sqlite3");
    let log = Arc::new(SqliteLog::open(database.to_str().unwrap(), Options::default()).await.unwrap());
    let settings = Settings {
        trust_domain: TrustDomain::parse("example.org").unwrap(),
        bind: ([127, 0, 0, 1], 0).into(),
        socket_path: dir.path().join("api.sock"),
        admin_ids: HashSet::new(),
        agent_id_as_selector: false,
        rate_limits: RateLimits::default(),
        audit_log: false,
        trusted_proxies: Vec::new(),
        prune: None,
        authority: AuthoritySettings::default(),
    };
    let adapters = Adapters {
        log: log.clone(),
        keys: Arc::new(MemoryKeys::default()),
        upstream: None,
        attestors: Box::new(|_, _| Vec::new()),
        logger: kit::log::layer::<tracing_subscriber::Registry>(kit::log::Options::default()).unwrap().1,
        policy: None,
        audience: crate::publish::Audience::default(),
    };
    let (stop, (ready, is_ready)) = (CancellationToken::new(), oneshot::channel());
    let server =
        tokio::spawn(run(settings, adapters, kit::clock::Clock::system(), stop.clone(), move |_| {
            ready.send(()).unwrap();
        }));
    is_ready.await.unwrap();

    // A write is answered by statements; after it there is rest. Reading asks the database nothing.
    let mut entries = EntryClient::new(socket(dir.path().join("api.sock")).await);
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

    stop.cancel();
    server.await.unwrap().unwrap();
}

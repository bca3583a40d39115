//! Who no longer waits is no longer worked for: signatures that have not begun are not made.

use std::time::Duration;

use harness::{Domain, Options, eventually, free_port, get};
use proto::spire::api::server::entry::v1::BatchCreateEntryRequest;
use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::spire::api::server::svid::v1::svid_client::SvidClient;
use proto::spire::api::server::svid::v1::{BatchNewX509svidRequest, NewX509svidParams};
use proto::spire::api::types;
use tonic::Request;

use super::peers::{Node, csr};
use super::wire::over_socket;

/// With this key a signature takes milliseconds, so that a call of many takes longer than a caller waits here.
const SLOW: &str = "ca_key_type = \"rsa-4096\"";
/// So many a call.
const MANY: usize = 500;
/// How long the caller waits.
const BRIEF: Duration = Duration::from_millis(150);

struct Slow {
    domain: Domain,
    metrics: u16,
    node: Node,
    request: BatchNewX509svidRequest,
}

impl Slow {
    async fn start() -> Self {
        let metrics = free_port();
        let options = Options::default()
            .server_line(SLOW)
            .server_line("ratelimit { attestation = false  signing = false }")
            .server_block(&format!("telemetry {{\n  Prometheus {{ port = {metrics} }}\n}}"));
        let domain = Domain::start_server(options);
        let node = Node::join(&domain).await;
        let entry = types::Entry {
            spiffe_id: Some(types::Spiffeid { trust_domain: "example.org".into(), path: "/a".into() }),
            parent_id: Some(node.id.clone()),
            selectors: vec![types::Selector { r#type: "unix".into(), value: "uid:1".into() }],
            ..types::Entry::default()
        };
        let mut entries = EntryClient::new(over_socket(&domain.peek_server().socket()).await);
        let request = BatchCreateEntryRequest { entries: vec![entry], output_mask: None };
        let made = entries.batch_create_entry(request).await.unwrap().into_inner().results.remove(0);
        let param = NewX509svidParams { entry_id: made.entry.unwrap().id, csr: csr() };
        Self { domain, metrics, node, request: BatchNewX509svidRequest { params: vec![param; MANY] } }
    }

    fn client(&self) -> SvidClient<tonic::transport::Channel> {
        SvidClient::new(self.node.connect(self.domain.port()))
    }

    /// How many signatures the key has made.
    fn signatures(&self) -> u64 {
        let page = get(self.metrics, "/metrics").unwrap().body;
        let counts = page
            .lines()
            .filter(|line| line.starts_with("spire_server_server_key_manager_sign_data{"))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        counts.sum::<f64>() as u64
    }

    /// How many it makes until it makes no more.
    fn until_rest(&self, before: u64) -> u64 {
        let mut last = u64::MAX;
        eventually("the signing to rest", Duration::from_secs(60), || {
            std::thread::sleep(Duration::from_millis(400));
            let now = self.signatures();
            (std::mem::replace(&mut last, now) == now).then_some(now - before)
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signatures_for_a_caller_who_no_longer_waits_are_not_made() {
    let slow = Slow::start().await;
    let before = slow.signatures();
    let whole = slow.client().batch_new_x509svid(slow.request.clone()).await.unwrap().into_inner();
    assert!(whole.results.iter().all(|result| result.svid.is_some()));
    let whole = slow.until_rest(before);
    assert!(whole >= MANY as u64, "{whole} signatures are counted for {MANY} SVIDs");

    // By its own word.
    let before = slow.signatures();
    let mut request = Request::new(slow.request.clone());
    request.set_timeout(BRIEF);
    slow.client().batch_new_x509svid(request).await.unwrap_err();
    let made = slow.until_rest(before);
    assert!(made < whole * 3 / 4, "{made} of {whole} signatures were made for a call whose time was over");

    // By hanging up on the call.
    let before = slow.signatures();
    let mut client = slow.client();
    tokio::time::timeout(BRIEF, client.batch_new_x509svid(slow.request.clone())).await.unwrap_err();
    let made = slow.until_rest(before);
    assert!(made < whole * 3 / 4, "{made} of {whole} signatures were made for a call that was taken back");
    // The connection is as good as before.
    client.batch_new_x509svid(slow.request.clone()).await.unwrap();
}

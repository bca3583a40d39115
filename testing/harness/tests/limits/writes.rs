//! Sixty-four clients that mix all writes. None is told of a deadlock or a failure inside, the sequence of changes has no
//! gap, memory does not grow, and what the server has in memory is what stands in its database.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use harness::{Domain, Options};
use prost::Message;
use proto::spire::api::server::agent::v1::ListAgentsRequest;
use proto::spire::api::server::agent::v1::agent_client::AgentClient;
use proto::spire::api::server::bundle::v1::bundle_client::BundleClient;
use proto::spire::api::server::bundle::v1::{GetBundleRequest, ListFederatedBundlesRequest};
use proto::spire::api::server::entry::v1::ListEntriesRequest;
use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::spire::api::server::trustdomain::v1::ListFederationRelationshipsRequest;
use proto::spire::api::server::trustdomain::v1::trust_domain_client::TrustDomainClient;
use sqlx::{Connection as _, Row as _};
use tonic::transport::Channel;

use super::measure::resident;
use super::wire::over_socket;
use super::writers::{KINDS, Writer};

const CLIENTS: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_mix_all_writes() {
    mix(Duration::from_secs(9)).await;
}

/// `cargo test -p bonafide-harness --test limits -- --ignored`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it takes a minute; the same for some seconds is not ignored"]
async fn sixty_four_clients_mix_all_writes_for_a_minute() {
    mix(Duration::from_secs(60)).await;
}

async fn mix(time: Duration) {
    let options = Options::default().server_line("ratelimit { attestation = false  signing = false }");
    let mut domain = Domain::start_server(options);
    let pid = domain.server().process().id();
    let (socket, port) = (domain.server().socket(), domain.port());
    let end = Instant::now() + time;
    let mut writers = Vec::new();
    for number in 0..CLIENTS {
        let writer = Writer::new(number, over_socket(&socket).await, port).await;
        writers.push(tokio::spawn(writer.write_until(end)));
    }

    let mut memory = Vec::new();
    while Instant::now() < end {
        memory.push(resident(pid));
        tokio::time::sleep(time / 90).await;
    }
    let mut done: BTreeMap<&str, u64> = BTreeMap::new();
    for writer in writers {
        for (kind, count) in writer.await.expect("a writer was told what it must not be told") {
            *done.entry(kind).or_default() += count;
        }
    }
    eprintln!("done in {time:?}: {done:?}");
    for kind in KINDS {
        assert!(done.get(kind).is_some_and(|count| *count > 0), "no {kind} went well: {done:?}");
    }
    stays_flat(&memory);

    let told = everything(&over_socket(&socket).await).await;
    let number = sequence_without_gap(&domain.server().data().join("datastore.sqlite3")).await;
    eprintln!("{number} changes");
    assert!(number > 500, "{number} changes are few");
    // What a server reads at its start is its database.
    domain.server().restart();
    let again = everything(&over_socket(&socket).await).await;
    assert!(told == again, "the memory of the server was not what its database holds");
}

/// The last third of the time needs no more than the middle third, but for what an allocator keeps.
fn stays_flat(memory: &[u64]) {
    let third = memory.len() / 3;
    let typical = |from: usize| {
        let mut some = memory.get(from..from + third).unwrap().to_vec();
        some.sort_unstable();
        some[some.len() / 2]
    };
    let (middle, last) = (typical(third), typical(2 * third));
    eprintln!("resident: {middle} then {last} bytes");
    assert!(last < middle + middle / 10 + (6 << 20), "memory grows from {middle} to {last} bytes");
}

/// How many changes there were: each number of the sequence has its record.
async fn sequence_without_gap(database: &Path) -> i64 {
    let mut connection =
        sqlx::SqliteConnection::connect(&format!("sqlite://{}?mode=ro", database.display())).await.unwrap();
    let row =
        sqlx::query("SELECT count(*), min(number), max(number), (SELECT number FROM sequence) FROM change")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    let (count, first, last, head): (i64, i64, i64, i64) = (row.get(0), row.get(1), row.get(2), row.get(3));
    assert_eq!((first, last, count), (1, head, head), "first, last and count of the changes");
    head
}

/// All that the server can be asked to list, in a form that can be compared.
async fn everything(channel: &Channel) -> Vec<Vec<u8>> {
    fn bytes<M: Message>(kind: &str, all: &[M]) -> Vec<Vec<u8>> {
        all.iter().map(|one| [kind.as_bytes(), &one.encode_to_vec()].concat()).collect()
    }
    let entries = EntryClient::new(channel.clone()).list_entries(ListEntriesRequest::default()).await;
    let agents = AgentClient::new(channel.clone()).list_agents(ListAgentsRequest::default()).await;
    let mut bundles = BundleClient::new(channel.clone());
    let own = bundles.get_bundle(GetBundleRequest::default()).await;
    let federated = bundles.list_federated_bundles(ListFederatedBundlesRequest::default()).await;
    let relationships = TrustDomainClient::new(channel.clone())
        .list_federation_relationships(ListFederationRelationshipsRequest::default())
        .await;
    let mut all = bytes("entry", &entries.unwrap().into_inner().entries);
    all.extend(bytes("agent", &agents.unwrap().into_inner().agents));
    all.extend(bytes("own", &[own.unwrap().into_inner()]));
    all.extend(bytes("bundle", &federated.unwrap().into_inner().bundles));
    all.extend(bytes("relationship", &relationships.unwrap().into_inner().federation_relationships));
    all
}

//! The feed over a real connection, on a real log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use kit::clock::{Clock, Hand};
use model::{Agent, Entry, EntryId, Expect, Selector, UnixTime, Write, graph};
use proto::SetDigest;
use proto::bonafide::feed::v1::feed_client::FeedClient;
use proto::bonafide::feed::v1::feed_server::FeedServer;
use proto::bonafide::feed::v1::goodbye::Reason;
use proto::bonafide::feed::v1::{Ack, Cursor, Goodbye, Hello, Resync, Up, down, up};
use spiffe::bundle::Bundle;
use spiffe::{SpiffeId, TrustDomain};
use store::sqlite::{Options, SqliteLog};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint, Server};

use super::{FeedApi, Hub};
use crate::authz::{AuthorizedAgent, Caller, Standing};
use crate::registry::{Observer, Registry};

const SOON: Duration = Duration::from_secs(5);

fn td() -> TrustDomain {
    TrustDomain::parse("example.org").unwrap()
}

fn id(path: &str) -> SpiffeId {
    SpiffeId::new(&td(), path).unwrap()
}

fn entry(name: &str, parent: &str, path: &str, selector: &str) -> Entry {
    Entry {
        id: EntryId::parse(name).unwrap(),
        ord: 0,
        spiffe_id: id(path),
        parent_id: id(parent),
        selectors: [Selector::parse(selector).unwrap()].into_iter().collect(),
        x509_svid_ttl: 0,
        jwt_svid_ttl: 0,
        federates_with: vec![],
        admin: false,
        downstream: false,
        expires_at: None,
        dns_names: vec![],
        revision: 0,
        store_svid: false,
        hint: String::new(),
        created_at: UnixTime(1),
        additional: None,
    }
}

/// A registry with agent `/spire/agent/a`, and a feed for it.
struct World {
    registry: Arc<Registry>,
    hub: Arc<Hub>,
    hand: Hand,
    channel: Channel,
}

impl World {
    async fn new() -> Self {
        let log = Arc::new(SqliteLog::open(":memory:", Options::default()).await.unwrap());
        let hub = Hub::new();
        let observers: Vec<Arc<dyn Observer>> = vec![hub.clone()];
        let registry = Registry::open(log, observers).await.unwrap();
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let (clock, hand) = Clock::by_hand(start);
        let agent = Agent {
            id: id("/spire/agent/a"),
            ord: 0,
            attestation_type: "test".into(),
            serial: "1".into(),
            expires_at: UnixTime::of(start + Duration::from_secs(3600)),
            new_serial: String::new(),
            new_expires_at: None,
            selectors: [Selector::parse("node:a").unwrap()].into_iter().collect(),
            can_reattest: false,
            version: String::new(),
            revision: 0,
        };
        registry.write(Write::PutAgent { agent: agent.clone(), expect: Expect::Absent }).await.unwrap();
        registry.write(Write::PutBundle { bundle: Bundle::new(td()), expect: Expect::Absent }).await.unwrap();
        let api = FeedApi {
            trust_domain: td(),
            registry: registry.clone(),
            hub: hub.clone(),
            clock,
            heartbeat: Duration::from_millis(50),
        };
        let standing =
            Standing::Agent(AuthorizedAgent::unchecked(Arc::new(agent), start + Duration::from_secs(3600)));
        let service = tonic::service::interceptor::InterceptedService::new(
            FeedServer::new(api),
            move |mut request: tonic::Request<()>| {
                request.extensions_mut().insert(Caller::unchecked(standing.clone()));
                Ok(request)
            },
        );
        let (near, far) = tokio::io::duplex(1 << 16);
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(tokio_stream::once(Ok::<
            _,
            std::io::Error,
        >(
            far
        ))));
        let mut near = Some(near);
        let channel = Endpoint::from_static("http://localhost")
            .connect_with_connector(tower::service_fn(move |_| {
                let near = near.take();
                async move {
                    near.map(hyper_util::rt::TokioIo::new)
                        .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotConnected))
                }
            }))
            .await
            .unwrap();
        Self { registry, hub, hand, channel }
    }

    async fn create(&self, entry: Entry) {
        self.registry.write(Write::CreateEntry(entry)).await.unwrap();
    }

    async fn update(&self, name: &str, edit: impl FnOnce(&mut Entry)) {
        let old = self.registry.snapshot().entry(&EntryId::parse(name).unwrap()).unwrap().clone();
        let mut entry = Entry::clone(&old);
        edit(&mut entry);
        self.registry.write(Write::UpdateEntry { entry, was: old.revision }).await.unwrap();
    }

    async fn delete(&self, name: &str) {
        self.registry.write(Write::DeleteEntry(EntryId::parse(name).unwrap())).await.unwrap();
    }

    /// What the agent should hold.
    fn truth(&self) -> BTreeMap<String, i64> {
        let snapshot = self.registry.snapshot();
        let agent = snapshot.agent(&id("/spire/agent/a")).unwrap();
        graph::authorized_entries(&snapshot, agent).iter().map(|e| (e.id.to_string(), e.revision)).collect()
    }
}

/// An agent that does what the feed says.
struct Follower {
    up: mpsc::Sender<Up>,
    down: tonic::Streaming<proto::bonafide::feed::v1::Down>,
    entries: BTreeMap<String, i64>,
    cursor: Cursor,
    resumed: bool,
    /// Entries and deletions that came as differences.
    differences: usize,
    mismatches: usize,
}

impl Follower {
    async fn join(world: &World, cursor: Option<Cursor>, entries: BTreeMap<String, i64>) -> Self {
        let (up, messages) = mpsc::channel(8);
        let hello = Hello { instance: vec![1], cursor, ..Hello::default() };
        up.send(Up { kind: Some(up::Kind::Hello(hello)) }).await.unwrap();
        let down = FeedClient::new(world.channel.clone())
            .subscribe(ReceiverStream::new(messages))
            .await
            .unwrap()
            .into_inner();
        Self { up, down, entries, cursor: Cursor::default(), resumed: false, differences: 0, mismatches: 0 }
    }

    async fn step(&mut self) -> Option<Goodbye> {
        let message = tokio::time::timeout(SOON, self.down.message()).await.expect("nothing came").unwrap();
        match message?.kind.unwrap() {
            down::Kind::Welcome(welcome) => self.resumed = welcome.resumed,
            down::Kind::Page(page) => {
                self.entries = page.entries.into_iter().map(|e| (e.id, e.revision_number)).collect();
                assert!(page.last, "these tests fit on a page");
                self.applied(page.cursor.unwrap()).await;
            }
            down::Kind::Change(change) => {
                self.differences += change.entries.len() + change.deleted_entries.len();
                self.entries.extend(change.entries.into_iter().map(|e| (e.id, e.revision_number)));
                change.deleted_entries.iter().for_each(|id| {
                    self.entries.remove(id);
                });
                self.applied(change.cursor.unwrap()).await;
            }
            down::Kind::Heartbeat(beat) => {
                let mut digest = SetDigest::EMPTY;
                self.entries.iter().for_each(|(id, revision)| digest.add(id, *revision));
                if !digest.matches(&beat.digest) {
                    self.mismatches += 1;
                }
                self.applied(beat.cursor.unwrap()).await;
            }
            down::Kind::Goodbye(goodbye) => return Some(goodbye),
        }
        None
    }

    async fn applied(&mut self, cursor: Cursor) {
        let number = cursor.number;
        self.cursor = cursor;
        let _ = self.up.send(Up { kind: Some(up::Kind::Ack(Ack { number })) }).await;
    }

    /// Follows until it is complete up to where the registry stands.
    async fn catch_up(&mut self, world: &World) {
        let number = world.registry.snapshot().cursor().number;
        while self.cursor.number < number {
            assert!(self.step().await.is_none(), "the stream ended");
        }
        assert_eq!(self.entries, world.truth());
    }

    async fn farewell(&mut self) -> Goodbye {
        loop {
            if let Some(goodbye) = self.step().await {
                return goodbye;
            }
        }
    }
}

#[tokio::test]
async fn a_new_agent_gets_everything_and_then_differences() {
    let world = World::new().await;
    world.create(entry("one", "/spire/agent/a", "/one", "unix:uid:1")).await;
    world.create(entry("elsewhere", "/spire/agent/b", "/two", "unix:uid:1")).await;
    let mut agent = Follower::join(&world, None, BTreeMap::new()).await;
    agent.catch_up(&world).await;
    assert_eq!(agent.entries.keys().collect::<Vec<_>>(), ["one"]);
    world.create(entry("three", "/spire/agent/a", "/three", "unix:uid:3")).await;
    world.update("one", |e| e.hint = "h".into()).await;
    agent.catch_up(&world).await;
    world.delete("one").await;
    agent.catch_up(&world).await;
    assert_eq!(agent.differences, 3);
    let number = world.registry.snapshot().cursor().number;
    while world.hub.progress()[0].acknowledged < number {
        agent.step().await;
    }
    assert_eq!(agent.mismatches, 0);
}

#[tokio::test]
async fn an_entry_that_moves_away_is_a_deletion_and_takes_what_hangs_below_it_along() {
    let world = World::new().await;
    world.create(entry("above", "/spire/agent/a", "/above", "unix:uid:1")).await;
    world.create(entry("below", "/above", "/below", "unix:uid:2")).await;
    let mut agent = Follower::join(&world, None, BTreeMap::new()).await;
    agent.catch_up(&world).await;
    assert_eq!(agent.entries.len(), 2);
    world.update("above", |e| e.parent_id = id("/spire/agent/b")).await;
    agent.catch_up(&world).await;
    assert!(agent.entries.is_empty());
    world.update("above", |e| e.parent_id = id("/spire/agent/a")).await;
    agent.catch_up(&world).await;
    assert_eq!(agent.entries.len(), 2);
}

#[tokio::test]
async fn a_node_alias_and_the_agents_own_selectors_bring_and_take_entries() {
    let world = World::new().await;
    world.create(entry("job", "/pool", "/job", "unix:uid:1")).await;
    let mut agent = Follower::join(&world, None, BTreeMap::new()).await;
    agent.catch_up(&world).await;
    assert!(agent.entries.is_empty());
    world.create(entry("alias", "/spire/server", "/pool", "node:a")).await;
    agent.catch_up(&world).await;
    assert_eq!(agent.entries.keys().collect::<Vec<_>>(), ["job"]);
    let row = world.registry.snapshot().agent(&id("/spire/agent/a")).unwrap().clone();
    let mut moved = Agent::clone(&row);
    moved.selectors = [Selector::parse("node:b").unwrap()].into_iter().collect();
    let expect = Expect::Revision(row.revision.unsigned_abs());
    world.registry.write(Write::PutAgent { agent: moved, expect }).await.unwrap();
    agent.catch_up(&world).await;
    assert!(agent.entries.is_empty());
    assert_eq!(agent.mismatches, 0);
}

#[tokio::test]
async fn an_agent_that_comes_back_is_told_what_it_missed_and_no_more() {
    let world = World::new().await;
    for n in 0..20 {
        world.create(entry(&format!("e{n}"), "/spire/agent/a", &format!("/e{n}"), "unix:uid:1")).await;
    }
    let mut agent = Follower::join(&world, None, BTreeMap::new()).await;
    agent.catch_up(&world).await;
    let (cursor, held) = (agent.cursor.clone(), agent.entries.clone());
    drop(agent);
    world.update("e3", |e| e.hint = "h".into()).await;
    world.delete("e4").await;
    world.create(entry("new", "/spire/agent/a", "/new", "unix:uid:1")).await;
    world.create(entry("foreign", "/spire/agent/b", "/foreign", "unix:uid:1")).await;
    let mut agent = Follower::join(&world, Some(cursor), held.clone()).await;
    agent.catch_up(&world).await;
    assert!(agent.resumed);
    assert_eq!(agent.differences, 3);
    drop(agent);
    // A cursor of another history is worth nothing.
    let forged = Cursor { number: 5, tag: vec![7; 8] };
    let mut agent = Follower::join(&world, Some(forged), held).await;
    agent.catch_up(&world).await;
    assert!(!agent.resumed);
}

#[tokio::test]
async fn a_digest_that_differs_is_mended_by_everything() {
    let world = World::new().await;
    world.create(entry("one", "/spire/agent/a", "/one", "unix:uid:1")).await;
    let mut agent = Follower::join(&world, None, BTreeMap::new()).await;
    agent.catch_up(&world).await;
    agent.entries.insert("imagined".into(), 0);
    while agent.mismatches == 0 {
        agent.step().await;
    }
    agent.up.send(Up { kind: Some(up::Kind::Resync(Resync::default())) }).await.unwrap();
    while agent.entries.len() != 1 {
        agent.step().await;
    }
    assert_eq!(agent.entries, world.truth());
}

#[tokio::test]
async fn eviction_and_ban_end_the_stream_at_once() {
    let world = World::new().await;
    let mut agent = Follower::join(&world, None, BTreeMap::new()).await;
    agent.catch_up(&world).await;
    let row = world.registry.snapshot().agent(&id("/spire/agent/a")).unwrap().clone();
    let mut banned = Agent::clone(&row);
    banned.serial = String::new();
    let expect = Expect::Revision(row.revision.unsigned_abs());
    world.registry.write(Write::PutAgent { agent: banned, expect }).await.unwrap();
    assert_eq!(agent.farewell().await.reason(), Reason::Banned);
    // The caller was let in before; the stream looks again.
    world.registry.write(Write::DeleteAgent(id("/spire/agent/a"))).await.unwrap();
    let mut agent = Follower::join(&world, None, BTreeMap::new()).await;
    assert_eq!(agent.farewell().await.reason(), Reason::Evicted);
}

#[tokio::test]
async fn the_stream_is_as_good_as_the_svid() {
    let world = World::new().await;
    let mut agent = Follower::join(&world, None, BTreeMap::new()).await;
    agent.catch_up(&world).await;
    world.hand.forward(Duration::from_secs(3601));
    let start = std::time::Instant::now();
    assert_eq!(agent.farewell().await.reason(), Reason::Expired);
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn an_acknowledgement_beyond_what_was_sent_ends_the_stream() {
    let world = World::new().await;
    let mut agent = Follower::join(&world, None, BTreeMap::new()).await;
    agent.catch_up(&world).await;
    agent.up.send(Up { kind: Some(up::Kind::Ack(Ack { number: 1_000_000 })) }).await.unwrap();
    assert_eq!(agent.farewell().await.reason(), Reason::Protocol);
}

/// Whatever is written, in whatever order, the agent ends up with what it may use, and no digest ever differs.
#[tokio::test]
async fn any_history_leaves_the_agent_with_the_truth() {
    let world = World::new().await;
    let mut agent = Follower::join(&world, None, BTreeMap::new()).await;
    let parents = ["/spire/agent/a", "/spire/agent/b", "/x", "/y", "/spire/server"];
    let mut seed = 7_u64;
    let mut dice = |sides: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % sides
    };
    for _ in 0..60 {
        for _ in 0..dice(8) {
            let name = format!("e{}", dice(10));
            let parent = parents[dice(5) as usize];
            let selector = ["node:a", "node:z", "unix:uid:1"][dice(3) as usize];
            let path = ["/x", "/y", "/z", "/w"][dice(4) as usize];
            let there = world.registry.snapshot().entry(&EntryId::parse(&name).unwrap()).cloned();
            let write = match there {
                None => Write::CreateEntry(entry(&name, parent, path, selector)),
                Some(_) if dice(3) == 0 => Write::DeleteEntry(EntryId::parse(&name).unwrap()),
                Some(old) => {
                    let mut new = Entry::clone(&old);
                    new.parent_id = id(parent);
                    new.spiffe_id = id(path);
                    Write::UpdateEntry { entry: new, was: old.revision }
                }
            };
            // Similar entries are refused; that is part of the history too.
            let _ = world.registry.write(write).await;
        }
        agent.catch_up(&world).await;
    }
    assert_eq!(agent.mismatches, 0);
}

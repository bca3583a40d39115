//! The rules of the feed, with a server that the test plays by hand.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::time::{Duration, Instant};

use proto::SetDigest;
use proto::bonafide::feed::v1::goodbye::Reason;
use proto::bonafide::feed::v1::{Change, Goodbye, down, up};
use support::standin::{StandIn, Subscription, at, entry};
use support::{Agent, Token, svids};
use tonic::Code;

fn digest(entries: &[(&str, i64)]) -> [u8; 16] {
    let mut digest = SetDigest::EMPTY;
    entries.iter().for_each(|(id, revision)| digest.add(id, *revision));
    digest.to_bytes()
}

fn change(number: u64) -> Change {
    Change { cursor: at(number), ..Change::default() }
}

/// A server whose entries are `a` and `b`, and an agent that has taken the snapshot with `a` at 1.
async fn following() -> (StandIn, Agent, Subscription) {
    let mut server = StandIn::with_feed().await;
    *server.world.entries.lock().unwrap() = vec![entry("a", "/a", 0), entry("b", "/b", 0)];
    let mut agent = Agent::new(server.port, &server.bundle());
    agent.start(Token("x".to_owned()));
    let mut feed = server.subscription().await;
    assert_eq!(
        (feed.hello.instance.len(), feed.hello.agent_version.as_str(), &feed.hello.cursor),
        (16, "test", &None)
    );
    feed.welcome(false);
    feed.page(&server.world, 1, &[entry("a", "/a", 0)], true);
    feed.acked(1).await;
    (server, agent, feed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_counts_after_its_last_page_and_is_acknowledged_then() {
    let mut server = StandIn::with_feed().await;
    *server.world.entries.lock().unwrap() = vec![entry("a", "/a", 0), entry("b", "/b", 0)];
    let mut agent = Agent::new(server.port, &server.bundle());
    let status = agent.start(Token("x".to_owned()));
    let mut feed = server.subscription().await;
    feed.welcome(false);
    feed.page(&server.world, 7, &[entry("a", "/a", 0)], false);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(status.stage(), agent::Stage::Syncing, "half a snapshot is none");
    feed.page(&server.world, 7, &[entry("b", "/b", 0)], true);
    feed.acked(7).await;
    let (_, first) = svids(&agent.client().await).await;
    assert_eq!(first.svids.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_new_snapshot_does_not_name_is_gone_but_not_before_its_last_page() {
    let (server, agent, mut feed) = following().await;
    let client = agent.client().await;
    let (mut stream, first) = svids(&client).await;
    assert_eq!(first.svids[0].spiffe_id, "spiffe://example.org/a");
    feed.welcome(false);
    feed.page(&server.world, 9, &[], false);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(svids(&client).await.1.svids[0].spiffe_id, "spiffe://example.org/a");
    feed.page(&server.world, 9, &[entry("b", "/b", 0)], true);
    feed.acked(9).await;
    let mut last = String::new();
    while last != "spiffe://example.org/b" {
        last = stream.message().await.unwrap().unwrap().svids[0].spiffe_id.clone();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_reaches_an_open_stream_within_milliseconds() {
    let (_server, agent, mut feed) = following().await;
    let (mut stream, _) = svids(&agent.client().await).await;
    let began = Instant::now();
    feed.send(down::Kind::Change(Change { entries: vec![entry("b", "/b", 0)], ..change(2) }));
    let answer = stream.message().await.unwrap().unwrap();
    assert_eq!(answer.svids.len(), 2);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    feed.acked(2).await;
    feed.send(down::Kind::Change(Change { deleted_entries: vec!["a".to_owned()], ..change(3) }));
    feed.acked(3).await;
    assert_eq!(stream.message().await.unwrap().unwrap().svids[0].spiffe_id, "spiffe://example.org/b");
    feed.send(down::Kind::Change(Change { deleted_entries: vec!["b".to_owned()], ..change(4) }));
    assert_eq!(stream.message().await.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_with_our_digest_is_acknowledged_and_another_asks_for_everything() {
    let (server, _agent, mut feed) = following().await;
    feed.beat(5, digest(&[("a", 0)]));
    feed.acked(5).await;
    feed.beat(6, digest(&[("a", 1)]));
    let up::Kind::Resync(resync) = feed.hear().await else { panic!("no resync") };
    assert_eq!((resync.number, resync.digest), (6, digest(&[("a", 0)]).to_vec()));
    feed.welcome(false);
    feed.page(&server.world, 6, &[entry("a", "/a", 1)], true);
    feed.acked(6).await;
    feed.beat(7, digest(&[("a", 1)]));
    feed.acked(7).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_broke_is_resumed_by_cursor_and_the_cached_svid_is_served_meanwhile() {
    let (mut server, agent, feed) = following().await;
    let client = agent.client().await;
    svids(&client).await;
    let instance = feed.hello.instance.clone();
    drop(feed);
    assert_eq!(svids(&client).await.1.svids.len(), 1);
    let mut feed = server.subscription().await;
    assert_eq!(feed.hello.cursor, at(1));
    assert_eq!(feed.hello.instance, instance);
    assert_eq!(feed.hello.digest, digest(&[("a", 0)]));
    feed.welcome(true);
    feed.send(down::Kind::Change(Change { entries: vec![entry("b", "/b", 0)], ..change(4) }));
    feed.acked(4).await;
    assert_eq!(svids(&client).await.1.svids.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_against_the_rules_ends_the_stream() {
    let (mut server, _agent, feed) = following().await;
    feed.send(down::Kind::Change(change(0)));
    let again = server.subscription().await;
    assert_eq!(again.hello.cursor, at(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_renewal_the_next_stream_is_opened_before_the_old_one_is_let_go() {
    let mut server = StandIn::with_feed().await;
    *server.world.agent_ttl.lock().unwrap() = Duration::from_secs(4);
    let mut agent = Agent::new(server.port, &server.bundle());
    agent.start(Token("x".to_owned()));
    let mut old = server.subscription().await;
    old.welcome(false);
    old.page(&server.world, 3, &[], true);
    old.acked(3).await;
    let mut new = server.subscription().await;
    assert!(!old.down.is_closed(), "the old stream is still there");
    assert_eq!((&new.hello.instance, &new.hello.cursor), (&old.hello.instance, &at(3)));
    new.welcome(true);
    new.beat(4, digest(&[]));
    new.acked(4).await;
    tokio::time::timeout(Duration::from_secs(5), old.down.closed()).await.expect("the old stream is let go");
}

#[tokio::test(flavor = "multi_thread")]
async fn goodbye_is_followed_by_what_it_asks_for() {
    let (mut server, mut agent, feed) = following().await;
    feed.send(down::Kind::Goodbye(Goodbye {
        reason: Reason::Drained.into(),
        retry_after_ms: 50,
        message: "bye".to_owned(),
    }));
    let feed = server.subscription().await;
    feed.welcome(true);
    feed.send(down::Kind::Goodbye(Goodbye { reason: Reason::Banned.into(), ..Goodbye::default() }));
    assert!(agent.ended().await.unwrap_err().to_string().contains("banned"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_stream_has_the_svid_renewed() {
    let (mut server, _agent, feed) = following().await;
    feed.send(down::Kind::Goodbye(Goodbye { reason: Reason::Expired.into(), ..Goodbye::default() }));
    let feed = server.subscription().await;
    assert_eq!(feed.hello.cursor, at(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_evicted_agent_that_may_attest_again_does() {
    let mut server = StandIn::start(true, true).await;
    let mut agent = Agent::new(server.port, &server.bundle());
    agent.start(Token("x".to_owned()));
    let feed = server.subscription().await;
    feed.welcome(false);
    feed.send(down::Kind::Goodbye(Goodbye { reason: Reason::Evicted.into(), ..Goodbye::default() }));
    server.subscription().await;
    assert_eq!(server.world.attestations.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_entry_that_changed_is_signed_anew() {
    let (server, agent, mut feed) = following().await;
    feed.send(down::Kind::Change(Change { entries: vec![entry("b", "/b", 0)], ..change(2) }));
    feed.acked(2).await;
    let client = agent.client().await;
    let (mut stream, first) = svids(&client).await;
    assert_eq!(first.svids.len(), 2);
    let before = server.world.issued.load(std::sync::atomic::Ordering::SeqCst);
    feed.send(down::Kind::Change(Change { entries: vec![entry("b", "/b", 1)], ..change(3) }));
    feed.acked(3).await;
    let answer = stream.message().await.unwrap().unwrap();
    assert_eq!(answer.svids[0], first.svids[0]);
    assert_ne!(answer.svids[1].x509_svid, first.svids[1].x509_svid);
    assert_eq!(server.world.issued.load(std::sync::atomic::Ordering::SeqCst), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tainted_authority_signed_is_replaced() {
    let (server, agent, mut feed) = following().await;
    let (mut stream, first) = svids(&agent.client().await).await;
    server.world.taint();
    feed.send(down::Kind::Change(Change { bundles: vec![server.world.wire_bundle()], ..change(2) }));
    feed.acked(2).await;
    let mut svid = first.svids[0].x509_svid.clone();
    while svid == first.svids[0].x509_svid {
        let answer =
            tokio::time::timeout(Duration::from_secs(5), stream.message()).await.unwrap().unwrap().unwrap();
        svid = answer.svids[0].x509_svid.clone();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_feed_is_polled_and_asked_again_after_a_reconnect() {
    let (mut server, agent, feed) = following().await;
    *server.world.refusal.lock().unwrap() = Some(tonic::Status::unimplemented("no feed here"));
    drop(feed);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    *server.world.refusal.lock().unwrap() = None;
    // By SPIRE's protocol it now sees both entries.
    let client = agent.client().await;
    support::eventually("both entries", || {
        let client = client.clone();
        async move { (svids(&client).await.1.svids.len() == 2).then_some(()) }
    })
    .await;
    *server.world.refusal.lock().unwrap() = Some(tonic::Status::unavailable("away"));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    *server.world.refusal.lock().unwrap() = None;
    let feed = server.subscription().await;
    assert_eq!(feed.hello.cursor, None, "what was polled has no place in the feed");
}

//! SPIRE's protocol, with a server that has no feed.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::sync::atomic::Ordering;
use std::time::Duration;

use proto::workload::{X509BundlesRequest, X509svidRequest};
use support::standin::{StandIn, entry};
use support::{Agent, Token, eventually, svids, with_header};
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn only_entries_that_changed_are_asked_for_in_whole() {
    let server = StandIn::without_feed().await;
    server.world.page.store(2, Ordering::SeqCst);
    let names = ["a", "b", "c", "d", "e"];
    *server.world.entries.lock().unwrap() = names.iter().map(|id| entry(id, &format!("/{id}"), 0)).collect();
    let mut agent = Agent::new(server.port, &server.bundle());
    agent.serve(Token("x".to_owned())).await;
    let (mut stream, first) = svids(&agent.client().await).await;
    assert_eq!(
        first.svids.iter().map(|one| one.spiffe_id.as_str()).collect::<Vec<_>>(),
        names.map(|id| format!("spiffe://example.org/{id}"))
    );
    assert_eq!(*server.world.asked.lock().unwrap(), names);
    server.world.asked.lock().unwrap().clear();
    {
        let mut entries = server.world.entries.lock().unwrap();
        entries[1] = entry("b", "/b", 1);
        // Made anew under the same name: the revision is the same, the time of creation is not.
        entries[2].created_at = 7;
        entries.remove(4);
    }
    let answer =
        tokio::time::timeout(Duration::from_secs(5), stream.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(answer.svids.len(), 4);
    assert_eq!(*server.world.asked.lock().unwrap(), ["b", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn federated_bundles_come_with_the_entries_that_name_them() {
    let server = StandIn::without_feed().await;
    let mut federated = entry("a", "/a", 0);
    federated.federates_with = vec!["other.org".to_owned(), "missing.org".to_owned()];
    *server.world.entries.lock().unwrap() = vec![federated];
    let mut agent = Agent::new(server.port, &server.bundle());
    agent.serve(Token("x".to_owned())).await;
    let (_, first) = svids(&agent.client().await).await;
    assert_eq!(first.federated_bundles.keys().collect::<Vec<_>>(), ["spiffe://other.org"]);
    let mut client = agent.client().await;
    let mut bundles =
        client.fetch_x509_bundles(with_header(X509BundlesRequest {})).await.unwrap().into_inner();
    assert_eq!(bundles.message().await.unwrap().unwrap().bundles.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_for_a_while_is_found_again() {
    let server = StandIn::without_feed().await;
    *server.world.entries.lock().unwrap() = vec![entry("a", "/a", 0)];
    let mut agent = Agent::new(server.port, &server.bundle());
    agent.serve(Token("x".to_owned())).await;
    let client = agent.client().await;
    svids(&client).await;
    *server.world.refusal.lock().unwrap() = Some(tonic::Status::unavailable("away"));
    server.world.entries.lock().unwrap().push(entry("b", "/b", 0));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(svids(&client).await.1.svids.len(), 1);
    *server.world.refusal.lock().unwrap() = None;
    eventually("both identities", || {
        let client = client.clone();
        async move { (svids(&client).await.1.svids.len() == 2).then_some(()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_the_server_does_not_sign_does_not_hold_up_the_others() {
    let mut server = StandIn::with_feed().await;
    *server.world.entries.lock().unwrap() = vec![entry("a", "/a", 0)];
    let mut agent = Agent::new(server.port, &server.bundle());
    agent.start(Token("x".to_owned()));
    let mut feed = server.subscription().await;
    feed.welcome(false);
    feed.page(&server.world, 1, &[entry("a", "/a", 0), entry("gone", "/gone", 0)], true);
    feed.acked(1).await;
    let (_, first) = svids(&agent.client().await).await;
    assert_eq!(first.svids.len(), 1);
    // Of an identity that no one signs there is nothing to say.
    agent.says.set(&["unix:uid:7"]);
    let status = agent.client().await.fetch_x509svid(with_header(X509svidRequest {})).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
}

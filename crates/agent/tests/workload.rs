//! The Workload API, to the letter.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::sync::atomic::Ordering;
use std::time::Duration;

use proto::workload::{
    JwtBundlesRequest, JwtsvidRequest, ValidateJwtsvidRequest, WitBundlesRequest, WitsvidRequest,
    X509BundlesRequest, X509svidRequest,
};
use proto::workload::{WitsvidResponse, X509svidResponse};
use spiffe::bundle::{Bundle, WitAuthority};
use spiffe::jwk::from_private_jwk;
use spiffe::key::Signer as _;
use spiffe::wit::{Lifespan, Wit};
use spiffe::{BundleSet, TrustDomain};
use support::standin::{StandIn, entry};
use support::{Agent, Token, svids, with_header};
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Status};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

async fn serving(
    entries: Vec<proto::spire::api::types::Entry>,
    change: impl FnOnce(&mut Agent),
) -> (StandIn, Agent) {
    let server = StandIn::without_feed().await;
    *server.world.entries.lock().unwrap() = entries;
    let mut agent = Agent::new(server.port, &server.bundle());
    change(&mut agent);
    agent.serve(Token("x".to_owned())).await;
    (server, agent)
}

fn told(status: &Status) -> (Code, &str) {
    (status.code(), status.message())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_needs_the_header_exactly_so() {
    let (_server, agent) = serving(vec![entry("a", "/a", 0)], |_| {}).await;
    let mut client = agent.client().await;
    for values in [&[][..], &["True"], &["1"], &["false"], &["true", "true"], &["true", "false"]] {
        let mut request = Request::new(X509svidRequest {});
        for value in values {
            request.metadata_mut().append("workload.spiffe.io", MetadataValue::from_static(value));
        }
        let status = client.fetch_x509svid(request).await.unwrap_err();
        assert_eq!(
            told(&status),
            (Code::InvalidArgument, "security header missing from request"),
            "{values:?}"
        );
    }
    let status = client.fetch_jwtsvid(Request::new(JwtsvidRequest::default())).await.unwrap_err();
    assert_eq!(told(&status), (Code::InvalidArgument, "security header missing from request"));
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_without_an_entry_get_nothing() {
    let (_server, agent) = serving(vec![entry("a", "/a", 0)], |_| {}).await;
    agent.says.set(&["unix:uid:7"]);
    let mut client = agent.client().await;
    let denied = (Code::PermissionDenied, "no identity issued");
    assert_eq!(told(&client.fetch_x509svid(with_header(X509svidRequest {})).await.unwrap_err()), denied);
    assert_eq!(
        told(&client.fetch_x509_bundles(with_header(X509BundlesRequest {})).await.unwrap_err()),
        denied
    );
    assert_eq!(told(&client.fetch_jwt_bundles(with_header(JwtBundlesRequest {})).await.unwrap_err()), denied);
    let asked = JwtsvidRequest { audience: vec!["x".to_owned()], ..JwtsvidRequest::default() };
    assert_eq!(told(&client.fetch_jwtsvid(with_header(asked)).await.unwrap_err()), denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn verifiers_without_an_entry_get_the_own_bundle_where_that_is_allowed() {
    let mut federated = entry("a", "/a", 0);
    federated.federates_with = vec!["other.org".to_owned()];
    let (_server, agent) = serving(vec![federated], |agent| {
        agent.settings.allow_unauthenticated_verifiers = true;
        agent.says.set(&["unix:uid:7"]);
    })
    .await;
    let mut client = agent.client().await;
    let mut stream =
        client.fetch_x509_bundles(with_header(X509BundlesRequest {})).await.unwrap().into_inner();
    assert_eq!(
        stream.message().await.unwrap().unwrap().bundles.into_keys().collect::<Vec<_>>(),
        ["spiffe://example.org"]
    );
    let status = client.fetch_x509svid(with_header(X509svidRequest {})).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_are_checked_as_spire_does() {
    let (_server, agent) = serving(vec![entry("a", "/a", 0)], |_| {}).await;
    let mut client = agent.client().await;
    let status = client.fetch_jwtsvid(with_header(JwtsvidRequest::default())).await.unwrap_err();
    assert_eq!(told(&status), (Code::InvalidArgument, "audience must be specified"));
    let asked = JwtsvidRequest { audience: vec!["x".to_owned()], spiffe_id: "nonsense".to_owned() };
    let status = client.fetch_jwtsvid(with_header(asked)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().starts_with("invalid requested SPIFFE ID: "), "{}", status.message());
    let asked =
        JwtsvidRequest { audience: vec!["x".to_owned()], spiffe_id: "spiffe://example.org/b".to_owned() };
    let status = client.fetch_jwtsvid(with_header(asked)).await.unwrap_err();
    assert_eq!(told(&status), (Code::PermissionDenied, "no identity issued"));
    let asked = ValidateJwtsvidRequest { svid: "x".to_owned(), ..ValidateJwtsvidRequest::default() };
    let status = client.validate_jwtsvid(with_header(asked)).await.unwrap_err();
    assert_eq!(told(&status), (Code::InvalidArgument, "audience must be specified"));
    let asked = ValidateJwtsvidRequest { audience: "x".to_owned(), ..ValidateJwtsvidRequest::default() };
    let status = client.validate_jwtsvid(with_header(asked)).await.unwrap_err();
    assert_eq!(told(&status), (Code::InvalidArgument, "svid must be specified"));
    let asked = ValidateJwtsvidRequest { audience: "x".to_owned(), svid: "a.b.c".to_owned() };
    assert_eq!(client.validate_jwtsvid(with_header(asked)).await.unwrap_err().code(), Code::InvalidArgument);
    let asked = ValidateJwtsvidRequest { audience: "x".to_owned(), svid: "y".repeat(5 << 20) };
    assert_eq!(
        client.validate_jwtsvid(with_header(asked)).await.unwrap_err().code(),
        Code::ResourceExhausted
    );
    let status = client.fetch_witsvid(with_header(WitsvidRequest::default())).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    let status = client.fetch_wit_bundles(with_header(WitBundlesRequest {})).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_come_in_the_order_of_entry_ids_and_the_older_keeps_a_hint() {
    let hinted = |id: &str, hint: &str, created_at| proto::spire::api::types::Entry {
        hint: hint.to_owned(),
        created_at,
        ..entry(id, &format!("/{id}"), 0)
    };
    let (_server, agent) =
        serving(vec![hinted("c", "x", 1), hinted("a", "x", 2), hinted("b", "", 3)], |_| {}).await;
    let (_, first) = svids(&agent.client().await).await;
    let ids: Vec<&str> = first.svids.iter().map(|one| one.spiffe_id.as_str()).collect();
    assert_eq!(ids, ["spiffe://example.org/b", "spiffe://example.org/c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn jwt_svids_are_cached_and_validated() {
    let (_server, agent) = serving(vec![entry("a", "/a", 0), entry("b", "/b", 0)], |_| {}).await;
    let mut client = agent.client().await;
    let asked = |audience: &[&str]| JwtsvidRequest {
        audience: audience.iter().map(|a| (*a).to_owned()).collect(),
        ..Default::default()
    };
    let first = client.fetch_jwtsvid(with_header(asked(&["x", "y"]))).await.unwrap().into_inner();
    assert_eq!(first.svids.len(), 2);
    let again = client.fetch_jwtsvid(with_header(asked(&["y", "x"]))).await.unwrap().into_inner();
    assert_eq!(first, again);
    let valid = ValidateJwtsvidRequest { audience: "x".to_owned(), svid: first.svids[0].svid.clone() };
    let valid = client.validate_jwtsvid(with_header(valid)).await.unwrap().into_inner();
    assert_eq!(valid.spiffe_id, "spiffe://example.org/a");
    let wrong = ValidateJwtsvidRequest { audience: "z".to_owned(), svid: first.svids[0].svid.clone() };
    assert_eq!(client.validate_jwtsvid(with_header(wrong)).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_became_another_is_told_what_the_other_may_know() {
    let mut second = entry("b", "/b", 0);
    second.selectors[0].value = "uid:2".to_owned();
    let (server, agent) = serving(vec![entry("a", "/a", 0), second], |_| {}).await;
    let (mut stream, _) = svids(&agent.client().await).await;
    agent.says.set(&["unix:uid:2"]);
    server.world.entries.lock().unwrap()[0] = entry("a", "/a", 1);
    let answer =
        tokio::time::timeout(Duration::from_secs(5), stream.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(
        answer.svids.iter().map(|one| one.spiffe_id.as_str()).collect::<Vec<_>>(),
        ["spiffe://example.org/b"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_stream_follows_what_its_process_is_called() {
    let mut second = entry("b", "/b", 0);
    second.selectors[0].value = "uid:2".to_owned();
    let (_server, agent) = serving(vec![entry("a", "/a", 0), second], |_| {}).await;
    let (mut stream, _) = svids(&agent.client().await).await;
    // nothing changes at the server
    agent.says.set(&["unix:uid:2"]);
    let answer =
        tokio::time::timeout(Duration::from_secs(60), stream.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(answer.svids[0].spiffe_id, "spiffe://example.org/b");
    agent.says.set(&["unix:uid:3"]);
    let status = tokio::time::timeout(Duration::from_secs(60), stream.message()).await.unwrap().unwrap_err();
    assert_eq!(told(&status), (Code::PermissionDenied, "no identity issued"));
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_with_the_same_selectors_share_what_is_issued() {
    let (server, agent) = serving(vec![entry("a", "/a", 0)], |_| {}).await;
    let client = agent.client().await;
    let mut streams = Vec::new();
    for _ in 0..50 {
        streams.push(svids(&client).await);
    }
    assert_eq!(server.world.issued.load(Ordering::SeqCst), 1);
    server.world.entries.lock().unwrap().push(entry("b", "/b", 0));
    for (stream, _) in &mut streams {
        let answer =
            tokio::time::timeout(Duration::from_secs(5), stream.message()).await.unwrap().unwrap().unwrap();
        assert_eq!(answer.svids.len(), 2);
    }
    assert_eq!(server.world.issued.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_change_is_not_sent_again() {
    let (server, agent) = serving(vec![entry("a", "/a", 0)], |_| {}).await;
    let client = agent.client().await;
    let mut bundles =
        client.clone().fetch_x509_bundles(with_header(X509BundlesRequest {})).await.unwrap().into_inner();
    bundles.message().await.unwrap().unwrap();
    server.world.entries.lock().unwrap().push(entry("b", "/b", 0));
    svids(&client).await;
    assert!(
        tokio::time::timeout(Duration::from_secs(3), bundles.message()).await.is_err(),
        "the bundle is the same"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_agent_ends_its_streams_and_takes_its_socket_along() {
    let (_server, mut agent) = serving(vec![entry("a", "/a", 0)], |_| {}).await;
    let (mut stream, _) = svids(&agent.client().await).await;
    agent.stop().await.unwrap();
    assert_eq!(stream.message().await.unwrap_err().code(), Code::Unavailable);
    assert!(!agent.settings.socket_path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_in_use_ends_the_agent_with_the_reason() {
    let (server, agent) = serving(vec![entry("a", "/a", 0)], |_| {}).await;
    let mut second = Agent::new(server.port, &server.bundle());
    second.settings.socket_path.clone_from(&agent.settings.socket_path);
    second.start(Token("x".to_owned()));
    let error = second.ended().await.unwrap_err().to_string();
    assert!(error.contains("in use"), "{error}");
    svids(&agent.client().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_answer_on_the_socket() {
    let (_server, agent) = serving(vec![entry("a", "/a", 0)], |_| {}).await;
    let mut health = tonic_health::pb::health_client::HealthClient::new(agent.channel().await);
    let asked = tonic_health::pb::HealthCheckRequest::default();
    assert_eq!(health.check(asked).await.unwrap().into_inner().status, 1);
    let mut reflection = ServerReflectionClient::new(agent.channel().await);
    let asked = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers =
        reflection.server_reflection_info(tokio_stream::once(asked)).await.unwrap().into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) =
        answers.message().await.unwrap().unwrap().message_response
    else {
        panic!("no list of services")
    };
    let names: Vec<&str> = list.service.iter().map(|service| service.name.as_str()).collect();
    assert!(names.contains(&"SpiffeWorkloadAPI") && names.contains(&"grpc.health.v1.Health"), "{names:?}");
}

/// A stream of WIT-SVIDs with its first message.
async fn wits(
    agent: &Agent,
    id: &str,
) -> Result<(tonic::Streaming<WitsvidResponse>, WitsvidResponse), Status> {
    let asked = WitsvidRequest { spiffe_id: id.to_owned() };
    let mut stream = agent.client().await.fetch_witsvid(with_header(asked)).await?.into_inner();
    let first = stream.message().await?.unwrap();
    Ok((stream, first))
}

fn with_wit(agent: &mut Agent) {
    agent.settings.wit_svids = true;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wit_svid_comes_with_a_key_of_its_own_that_it_is_bound_to() {
    let hinted = |id: &str, hint: &str| proto::spire::api::types::Entry {
        hint: hint.to_owned(),
        ..entry(id, &format!("/{id}"), 0)
    };
    let (server, agent) = serving(vec![hinted("b", ""), hinted("a", "internal")], with_wit).await;
    let mut bundles =
        agent.client().await.fetch_wit_bundles(with_header(WitBundlesRequest {})).await.unwrap().into_inner();
    let bundles = bundles.message().await.unwrap().unwrap().bundles;
    assert_eq!(bundles.keys().collect::<Vec<_>>(), ["spiffe://example.org"]);
    let jwks: serde_json::Value = serde_json::from_str(&bundles["spiffe://example.org"]).unwrap();
    let key = &jwks["keys"][0];
    assert_eq!((key["use"].as_str(), key["kid"].as_str()), (Some("wit-svid"), Some("wit")));
    let td = TrustDomain::parse("example.org").unwrap();
    let mut bundle = Bundle::new(td);
    let public_key = spiffe::jwk::from_jwk(key).unwrap();
    let authority = WitAuthority { key_id: "wit".to_owned(), public_key, expires_at: None, tainted: false };
    bundle.push_wit(authority).unwrap();
    let set: BundleSet = std::iter::once(std::sync::Arc::new(bundle)).collect();

    let (_stream, first) = wits(&agent, "").await.unwrap();
    let told: Vec<_> = first.svids.iter().map(|one| (one.spiffe_id.as_str(), one.hint.as_str())).collect();
    assert_eq!(told, [("spiffe://example.org/a", "internal"), ("spiffe://example.org/b", "")]);
    let mut keys = Vec::new();
    for svid in &first.svids {
        let verified = Wit::verify(&svid.wit_svid, &set, Lifespan::AsIssued, agent.clock.now()).unwrap();
        assert_eq!(verified.wit().subject().as_str(), svid.spiffe_id);
        let (key, alg) = from_private_jwk(&svid.wit_svid_key).unwrap();
        assert_eq!(key.public().spki_der(), verified.wit().confirmation().key().spki_der());
        assert_eq!(alg, Some(verified.wit().confirmation().alg()));
        keys.push(key.public().spki_der().to_vec());
    }
    assert_ne!(keys[0], keys[1]);
    let (_other, again) = wits(&agent, "spiffe://example.org/b").await.unwrap();
    assert_eq!(again.svids, first.svids[1..], "only the one asked for, and from memory");
    assert_eq!(server.world.wits.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn wit_svids_are_replaced_before_they_end_with_all_of_them_in_each_message() {
    let (server, agent) = serving(vec![entry("a", "/a", 0), entry("b", "/b", 0)], with_wit).await;
    *server.world.wit_ttl.lock().unwrap() = Some(Duration::from_secs(12));
    let (mut stream, first) = wits(&agent, "").await.unwrap();
    let next =
        tokio::time::timeout(Duration::from_secs(30), stream.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(next.svids.len(), 2);
    let changed = first.svids.iter().zip(&next.svids);
    assert!(changed.clone().any(|(old, new)| old.wit_svid != new.wit_svid));
    for (old, new) in changed {
        assert_eq!(old.spiffe_id, new.spiffe_id);
        assert_eq!(
            old.wit_svid == new.wit_svid,
            old.wit_svid_key == new.wit_svid_key,
            "a key for each token"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wit_svids_are_for_those_who_have_an_identity_where_they_are_served_and_issued() {
    let (server, agent) = serving(vec![entry("a", "/a", 0)], with_wit).await;
    let refused = wits(&agent, "nonsense").await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().starts_with("invalid requested SPIFFE ID: "), "{}", refused.message());
    let denied = (Code::PermissionDenied, "no identity issued");
    assert_eq!(told(&wits(&agent, "spiffe://example.org/b").await.unwrap_err()), denied);
    *server.world.wit_ttl.lock().unwrap() = None;
    assert_eq!(wits(&agent, "").await.unwrap_err().code(), Code::Unimplemented);
    agent.says.set(&["unix:uid:7"]);
    assert_eq!(told(&wits(&agent, "").await.unwrap_err()), denied);
    let bundles = agent.client().await.fetch_wit_bundles(with_header(WitBundlesRequest {})).await;
    assert_eq!(told(&bundles.unwrap_err()), denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_calls_too_often_is_refused_and_nobody_else_is() {
    let mut second = entry("b", "/b", 0);
    second.selectors[0].value = "uid:2".to_owned();
    let (_server, agent) = serving(vec![entry("a", "/a", 0), second], |agent| {
        agent.settings.call_limits.jwt_svid = Some(1);
        agent.settings.call_limits.x509_svid = Some(1);
    })
    .await;
    let mut client = agent.client().await;
    let asked = || with_header(JwtsvidRequest { audience: vec!["x".to_owned()], ..Default::default() });
    let mut limited = None;
    for _ in 0..20 {
        if let Err(status) = client.fetch_jwtsvid(asked()).await {
            limited = Some(status);
            break;
        }
    }
    let limited = limited.expect("twenty calls in less than ten seconds");
    assert_eq!(
        told(&limited),
        (Code::Unavailable, "rate limit exceeded for /SpiffeWorkloadAPI/FetchJWTSVID")
    );
    agent.says.set(&["unix:uid:2"]);
    client.fetch_jwtsvid(asked()).await.unwrap();
    // A stream is counted when it is opened, not for what it says.
    let mut streams = Vec::new();
    let refused = loop {
        match client.fetch_x509svid(with_header(X509svidRequest {})).await {
            Ok(stream) => streams.push(stream.into_inner()),
            Err(status) => break status,
        }
        assert!(streams.len() < 20);
    };
    assert_eq!(refused.message(), "rate limit exceeded for /SpiffeWorkloadAPI/FetchX509SVID");
    let first: X509svidResponse = streams[0].message().await.unwrap().unwrap();
    assert_eq!(first.svids[0].spiffe_id, "spiffe://example.org/b");
}

//! Our agent with a real SPIRE server.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::time::{Duration, SystemTime};

use proto::workload::{
    JwtBundlesRequest, JwtsvidRequest, ValidateJwtsvidRequest, X509BundlesRequest, X509svidRequest,
};
use spiffe::TrustDomain;
use spiffe::bundle::Bundle;
use spiffe::x509::X509Svid;
use support::spire::Server;
use support::{Agent, Token, eventually, svids, with_header};
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_attests_with_a_spire_server_and_hands_out_what_it_issues() {
    let Some(server) = Server::start("an_agent_attests_with_a_spire_server", "") else { return };
    let token = server.token();
    let mut agent = Agent::new(server.port, &server.bundle());
    server.entry(&token, "/web", &["-hint", "first"]);
    agent.serve(Token(token.clone())).await;
    let mut client = agent.client().await;

    let (mut stream, answer) = svids(&client).await;
    assert_eq!(answer.svids.len(), 1);
    assert_eq!(
        (answer.svids[0].spiffe_id.as_str(), answer.svids[0].hint.as_str()),
        ("spiffe://example.org/web", "first")
    );
    let svid = X509Svid::parse_concatenated(&answer.svids[0].x509_svid).unwrap();
    let td = TrustDomain::parse("example.org").unwrap();
    let bundle = Bundle::parse_x509_concatenated(td, &answer.svids[0].bundle).unwrap();
    svid.verify(&bundle, SystemTime::now()).unwrap();
    assert!(spiffe::key::PrivateKey::from_pkcs8(&answer.svids[0].x509_svid_key).is_ok());

    // Another entry reaches the open stream.
    server.entry(&token, "/api", &[]);
    let answer =
        tokio::time::timeout(Duration::from_secs(20), stream.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(answer.svids.len(), 2);

    let mut bundles =
        client.fetch_x509_bundles(with_header(X509BundlesRequest {})).await.unwrap().into_inner();
    assert!(bundles.message().await.unwrap().unwrap().bundles.contains_key("spiffe://example.org"));
    let mut bundles = client.fetch_jwt_bundles(with_header(JwtBundlesRequest {})).await.unwrap().into_inner();
    let keys = bundles.message().await.unwrap().unwrap().bundles["spiffe://example.org"].clone();
    assert!(String::from_utf8(keys).unwrap().contains("kid"));

    let asked =
        JwtsvidRequest { audience: vec!["db".to_owned()], spiffe_id: "spiffe://example.org/web".to_owned() };
    let tokens = client.fetch_jwtsvid(with_header(asked.clone())).await.unwrap().into_inner().svids;
    assert_eq!(tokens.len(), 1);
    let again = client.fetch_jwtsvid(with_header(asked)).await.unwrap().into_inner().svids;
    assert_eq!(tokens, again, "a fresh token comes from the cache");
    let checked = ValidateJwtsvidRequest { audience: "db".to_owned(), svid: tokens[0].svid.clone() };
    let valid = client.validate_jwtsvid(with_header(checked)).await.unwrap().into_inner();
    assert_eq!(valid.spiffe_id, "spiffe://example.org/web");
    assert!(valid.claims.unwrap().fields.contains_key("exp"));

    agent.stop().await.unwrap();
    assert!(!agent.settings.socket_path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_starts_again_from_its_data_directory_and_outlives_the_server() {
    let Some(mut server) = Server::start("an_agent_starts_again_from_its_data_directory", "") else { return };
    let token = server.token();
    let mut agent = Agent::new(server.port, &server.bundle());
    server.entry(&token, "/web", &[]);
    agent.serve(Token(token.clone())).await;
    agent.stop().await.unwrap();
    // The token is used up; it is not needed.
    agent.serve(Token(token)).await;
    let mut client = agent.client().await;
    svids(&client).await;
    server.kill();
    let mut stream = client.fetch_x509svid(with_header(X509svidRequest {})).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().svids.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_join_token_ends_the_agent_with_what_to_do() {
    let Some(server) = Server::start("a_used_join_token", "") else { return };
    let token = server.token();
    let mut first = Agent::new(server.port, &server.bundle());
    first.serve(Token(token.clone())).await;
    let mut second = Agent::new(server.port, &server.bundle());
    second.start(Token(token));
    let error = second.ended().await.unwrap_err().to_string();
    assert!(error.contains("join token does not exist or has already been used"), "{error}");
    assert!(error.contains("token generate"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_evicted_agent_that_cannot_attest_again_drops_its_svid_and_stops() {
    let Some(server) = Server::start("an_evicted_agent", "") else { return };
    let token = server.token();
    let mut agent = Agent::new(server.port, &server.bundle());
    agent.serve(Token(token.clone())).await;
    server.command(&["agent", "evict", "-spiffeID", &Server::agent_id(&token)]).unwrap();
    let error = agent.ended().await.unwrap_err().to_string();
    assert!(error.contains("attest anew"), "{error}");
    let data = std::fs::read_to_string(agent.settings.data_dir.join("agent-data.json")).unwrap();
    assert!(data.contains(r#""svid":null"#), "{data}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_banned_agent_stops() {
    let Some(server) = Server::start("a_banned_agent", "") else { return };
    let token = server.token();
    let mut agent = Agent::new(server.port, &server.bundle());
    agent.serve(Token(token.clone())).await;
    server.command(&["agent", "ban", "-spiffeID", &Server::agent_id(&token)]).unwrap();
    let error = agent.ended().await.unwrap_err().to_string();
    assert!(error.contains("banned"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_own_svid_and_those_of_workloads_are_renewed_in_time() {
    let lines = "agent_ttl = \"6s\"\n default_x509_svid_ttl = \"6s\"\n ca_ttl = \"24h\"";
    let Some(server) = Server::start("svids_are_renewed_in_time", lines) else { return };
    let token = server.token();
    let mut agent = Agent::new(server.port, &server.bundle());
    server.entry(&token, "/web", &[]);
    agent.serve(Token(token)).await;
    let (mut stream, _) = svids(&agent.client().await).await;
    let mut serials = std::collections::HashSet::new();
    for _ in 0..4 {
        let answer =
            tokio::time::timeout(Duration::from_secs(10), stream.message()).await.unwrap().unwrap().unwrap();
        let svid = X509Svid::parse_concatenated(&answer.svids[0].x509_svid).unwrap();
        assert!(svid.leaf().not_after() > SystemTime::now());
        assert!(serials.insert(svid.leaf().serial_decimal()), "each update is a new SVID");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_bundle_ends_in_a_message_that_says_so() {
    let Some(server) = Server::start("the_wrong_bundle", "") else { return };
    let Some(other) = Server::start("the_wrong_bundle", "") else { return };
    let mut agent = Agent::new(server.port, &other.bundle());
    agent.start(Token(server.token()));
    let error = agent.ended().await.unwrap_err().to_string();
    assert!(error.contains("bundle"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn insecure_bootstrap_trusts_the_first_server_and_keeps_its_bundle() {
    let Some(server) = Server::start("insecure_bootstrap", "") else { return };
    let mut agent = Agent::new(server.port, &server.bundle());
    agent.settings.bootstrap = agent::Bootstrap::DangerousFirstServer;
    let token = server.token();
    server.entry(&token, "/web", &[]);
    agent.serve(Token(token)).await;
    let (_, first) = svids(&agent.client().await).await;
    assert_eq!(first.svids.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_entry_ends_the_stream_and_a_caller_without_entries_gets_nothing() {
    let Some(server) = Server::start("a_deleted_entry", "") else { return };
    let token = server.token();
    let mut agent = Agent::new(server.port, &server.bundle());
    let id = server.entry(&token, "/web", &[]);
    agent.serve(Token(token)).await;
    let client = agent.client().await;
    let (mut stream, _) = svids(&client).await;
    server.command(&["entry", "delete", "-entryID", &id]).unwrap();
    let status = tokio::time::timeout(Duration::from_secs(20), stream.message()).await.unwrap().unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::PermissionDenied, "no identity issued"));
    let status = eventually("a refusal", || {
        let mut client = client.clone();
        async move { client.fetch_x509svid(with_header(X509svidRequest {})).await.err() }
    })
    .await;
    assert_eq!((status.code(), status.message()), (Code::PermissionDenied, "no identity issued"));
}

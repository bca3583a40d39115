//! What a client must be able to do, whoever made the agent and the server.
#![allow(dead_code, reason = "each test program takes what it needs")]

use std::time::{SystemTime, UNIX_EPOCH};

use harness::{Client, Domain, Options};
use serde_json::Value;

/// Fetches, validates and follows one rotation with one client.
pub(crate) fn client_gets_along(client: Client, domain: &Domain) {
    let id = domain.id("client");
    let endpoint = domain.agent().endpoint();

    let fetched = client.run(&endpoint, &["fetch", "the-audience"]).succeeds().json();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(fetched["x509"]["id"], id);
    assert!(number(&fetched["x509"]["not_after"]) > now, "an SVID that has not expired: {fetched}");
    assert!(number(&fetched["x509"]["authorities"]) >= 1, "a bundle to verify others with: {fetched}");
    assert_eq!(number(&fetched["bundles"]), 1, "the bundle of the own trust domain alone: {fetched}");
    assert_eq!(fetched["jwt"]["id"], id);
    assert_eq!(fetched["jwt"]["audience"], serde_json::json!(["the-audience"]));
    assert!(number(&fetched["jwt"]["expires"]) > now, "a token that has not expired: {fetched}");

    let token = fetched["jwt"]["token"].as_str().unwrap();
    let validated = client.run(&endpoint, &["validate", token, "the-audience"]).succeeds().json();
    assert_eq!(validated["id"], id);
    let refused = client.run(&endpoint, &["validate", token, "another-audience"]).fails();
    assert!(refused.stderr.contains("audience"), "the reason is told: {refused}");
    let (head, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    client.run(&endpoint, &["validate", &forged, "the-audience"]).fails();

    let watched = client.run(&endpoint, &["watch", "1", "60"]).succeeds();
    let lines = watched.json_lines();
    let serials: Vec<&Value> = lines.iter().map(|line| &line["serial"]).filter(|it| it.is_string()).collect();
    assert_eq!(serials.len(), 2, "the first SVID and the next: {watched}");
    assert_ne!(serials[0], serials[1], "{watched}");
    let totals = lines.last().unwrap();
    assert!(number(&totals["requests"]) > 0, "{watched}");
    assert_eq!(number(&totals["failures"]), 0, "{watched}");
}

/// Go and Rust talk mutual TLS in both directions for so many seconds, and see another authority's signature meanwhile.
pub(crate) fn mutual_tls_survives_a_rotation(domain: &Domain, seconds: &str) {
    mutual_tls_survives(domain, seconds, || ());
}

/// The same, while something is done that makes another authority sign.
pub(crate) fn mutual_tls_survives(domain: &Domain, seconds: &str, meanwhile: impl FnOnce()) {
    let id = domain.id("client");
    let endpoint = domain.agent().endpoint();
    let pairs = [(Client::Go, Client::Rust), (Client::Rust, Client::Go)];
    let running: Vec<_> = pairs
        .into_iter()
        .map(|(serving, dialling)| {
            let mut server = serving.start(&endpoint, &["serve", "0", &id]);
            let port = server.next_line()["listening"].to_string();
            (server, dialling.start(&endpoint, &["dial", &port, &id, seconds]))
        })
        .collect();
    meanwhile();
    for (server, dialler) in running {
        let dialled = dialler.finish().succeeds();
        let served = server.finish().succeeds();
        for ran in [dialled, served] {
            let totals = ran.json_lines().pop().unwrap();
            assert_eq!(number(&totals["failures"]), 0, "{ran}");
            assert!(number(&totals["requests"]) > 100, "{ran}");
            assert!(number(&totals["issuers"]) >= 2, "no rotation of the authority was seen: {ran}");
        }
    }
}

/// A trust domain whose SVIDs are renewed every few seconds, with a workload of this user.
pub(crate) fn domain_with_a_client(options: Options) -> Domain {
    let domain = Domain::start(options);
    domain.workload(&domain.id("client"), &[]);
    domain
}

pub(crate) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

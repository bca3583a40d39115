//! Servers and agents that go away and come back.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use harness::{Client, Domain, Options};

fn with_a_client(options: Options) -> Domain {
    let domain = Domain::start(options);
    domain.workload(&domain.id("client"), &[]);
    domain
}

#[test]
fn a_workload_notices_nothing_when_the_server_restarts() {
    let mut domain = with_a_client(Options::default().short_svids());
    let watching = Client::Rust.start(&domain.agent().endpoint(), &["watch", "2", "60"]);
    domain.server().restart();
    domain.server().kill9();
    domain.server().start();
    let watched = watching.finish().succeeds();
    assert_eq!(watched.json_lines().last().unwrap()["failures"], 0, "{watched}");
}

#[test]
fn an_agent_serves_what_it_has_while_the_server_is_away_and_catches_up_afterwards() {
    let mut domain = with_a_client(Options::default());
    let endpoint = domain.agent().endpoint();
    domain.agent().cli(&["api", "fetch", "jwt", "-audience", "kept"]).succeeds();
    domain.server().stop();
    Client::Rust.run(&endpoint, &["fetch", "kept"]).succeeds();
    domain.agent().cli(&["api", "fetch", "x509"]).succeeds();
    domain.server().start();
    domain.workload(&domain.id("later"), &[]);
}

#[test]
fn a_restarted_agent_needs_no_new_token() {
    let mut domain = with_a_client(Options::default());
    domain.agent_mut(0).restart();
    domain.workload(&domain.id("after-a-stop"), &[]);
    domain.agent_mut(0).kill9();
    domain.agent_mut(0).start();
    domain.workload(&domain.id("after-a-kill"), &[]);
    let listed = domain.cli(&["agent", "count"]).succeeds().stdout;
    assert!(listed.starts_with("1 attested agent"), "it is the same agent: {listed}");
}

#[test]
fn an_agent_that_is_up_before_its_server_waits_for_it() {
    let mut domain = with_a_client(Options::default());
    domain.agent_mut(0).stop();
    domain.server().stop();
    domain.agent_mut(0).spawn();
    std::thread::sleep(Duration::from_secs(2));
    domain.server().start();
    domain.workload(&domain.id("after"), &[]);
}

#[test]
fn connections_between_workloads_survive_a_restart_of_their_agent() {
    let mut domain = with_a_client(Options::default());
    let (endpoint, id) = (domain.agent().endpoint(), domain.id("client"));
    let mut serving = Client::Rust.start(&endpoint, &["serve", "0", &id]);
    let port = serving.next_line()["listening"].to_string();
    let dialling = Client::Rust.start(&endpoint, &["dial", &port, &id, "8"]);
    std::thread::sleep(Duration::from_secs(1));
    domain.agent_mut(0).restart();
    dialling.finish().succeeds();
    serving.finish().succeeds();
}

#[test]
fn a_server_with_keys_on_disk_continues_with_the_same_authorities() {
    let mut domain = Domain::start_server(Options::default());
    let bundle = |domain: &Domain| {
        domain.cli(&["bundle", "show", "-format", "spiffe"]).succeeds().json()["keys"].clone()
    };
    let before = bundle(&domain);
    domain.server().restart();
    assert_eq!(bundle(&domain), before);
    domain.server().kill9();
    domain.server().start();
    assert_eq!(bundle(&domain), before);
}

#[test]
fn a_server_with_keys_in_memory_starts_a_new_authority_and_keeps_publishing_the_old() {
    let mut domain = Domain::start_server(Options { key_manager: "memory".to_owned(), ..Options::default() });
    let count = |domain: &Domain| {
        domain.cli(&["bundle", "show"]).succeeds().stdout.matches("BEGIN CERTIFICATE").count()
    };
    assert_eq!(count(&domain), 1);
    domain.server().restart();
    assert_eq!(count(&domain), 2, "what the old authority signed still verifies");
}

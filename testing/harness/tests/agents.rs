//! Agents that are no longer welcome.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, SystemTime};

use harness::{Domain, Options, eventually};

const SOON: Duration = Duration::from_secs(20);

fn first_agent(domain: &Domain) -> String {
    let listed = domain.cli(&["agent", "list", "-output", "json"]).succeeds().json();
    let id = &listed["agents"][0]["id"];
    format!("spiffe://{}{}", id["trust_domain"].as_str().unwrap(), id["path"].as_str().unwrap())
}

#[test]
fn a_banned_agent_stops_says_why_and_cannot_come_back() {
    let mut domain = Domain::start(Options::default());
    domain.workload(&domain.id("client"), &[]);
    let id = first_agent(&domain);
    domain.cli(&["agent", "ban", "-spiffeID", &id]).succeeds();
    domain.agent_mut(0).process().wait(SOON);
    let log = domain.agent().log();
    assert!(log.contains("Agent is banned: removing SVID and shutting down"), "{log}");
    domain.agent().cli(&["api", "fetch", "x509"]).fails();

    domain.agent_mut(0).spawn();
    let code = domain.agent_mut(0).process().wait(SOON);
    assert_ne!(code, Some(0));
    let log = domain.agent().log();
    assert!(log.contains("join token does not exist or has already been used"), "{log}");
}

#[test]
fn an_evicted_agent_stops_and_may_join_again_with_a_new_token() {
    let mut domain = Domain::start(Options::default());
    domain.workload(&domain.id("client"), &[]);
    let id = first_agent(&domain);
    domain.cli(&["agent", "evict", "-spiffeID", &id]).succeeds();
    domain.agent_mut(0).process().wait(SOON);
    let log = domain.agent().log();
    assert!(log.contains("re-attest") && log.contains("removing SVID and shutting down"), "{log}");

    let token = domain.join_token(&domain.id("node"));
    domain.agent_mut(0).join_with(&token);
    domain.agent_mut(0).start();
    eventually("the entry of the alias to be served again", SOON, || {
        domain.agent().cli(&["api", "fetch", "x509"]).ok().then_some(())
    });
}

#[test]
fn an_agent_that_slept_past_its_expiry_says_that_it_must_join_again() {
    let options = Options::default().server_line("agent_ttl = \"20s\"").short_svids();
    let mut domain = Domain::start(options);
    domain.agent_mut(0).stop();
    std::thread::sleep(Duration::from_secs(22));
    domain.agent_mut(0).spawn();
    let code = domain.agent_mut(0).process().wait(Duration::from_secs(90));
    assert_ne!(code, Some(0));
    let log = domain.agent().log();
    assert!(log.contains("join token does not exist or has already been used"), "{log}");
}

#[test]
fn an_agent_with_a_short_svid_renews_it_in_time() {
    let mut domain = Domain::start(Options::default().server_line("agent_ttl = \"20s\"").short_svids());
    std::thread::sleep(Duration::from_secs(25));
    domain.workload(&domain.id("after-two-renewals"), &[]);
    assert_eq!(domain.agent_mut(0).process().ended(), None);
}

#[test]
fn an_agent_with_a_token_that_was_never_made_ends_with_the_reason() {
    let mut domain = Domain::start_server(Options::default());
    let agent = domain.prepare_agent();
    agent.join_with("11111111-2222-3333-4444-555555555555");
    agent.spawn();
    assert_ne!(agent.process().wait(Duration::from_secs(90)), Some(0));
    assert!(agent.log().contains("join token does not exist or has already been used"), "{}", agent.log());
}

#[test]
fn two_agents_of_one_server_are_told_of_their_own_entries_only() {
    let mut domain = Domain::start(Options::default());
    domain.add_agent();
    domain.workload(&domain.id("of-the-first"), &[]);
    let fetched = domain.agent_mut(1).cli(&["api", "fetch", "x509"]).fails();
    assert!(fetched.stderr.contains("no identity issued"), "{fetched}");
}

#[test]
fn an_agent_that_is_purged_takes_the_entry_of_its_token_along() {
    let mut domain = Domain::start(Options::default().server_line("agent_ttl = \"2s\""));
    let kept = domain.workload(&domain.id("client"), &[]);
    domain.agent_mut(0).stop();
    let id = first_agent(&domain);
    let alias = |domain: &Domain| domain.cli(&["entry", "show", "-parentID", &id]).succeeds().stdout;
    assert!(alias(&domain).contains("Found 1 entry"), "{}", alias(&domain));
    eventually("the agent's SVID to end", SOON, || {
        let listed = domain.cli(&["agent", "list", "-output", "json"]).succeeds().json();
        let ends = listed["agents"][0]["x509svid_expires_at"].as_str().unwrap().parse().unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        (now > Duration::from_secs(ends) + Duration::from_secs(2)).then_some(())
    });
    domain.server().stop();
    let lines = "agent_ttl = \"2s\"\n prune_attested_nodes_expired_for = \"1s\"\n prune_tofu_nodes = true";
    domain.server().edit_config("agent_ttl = \"2s\"", lines);
    domain.server().start();
    eventually("the agent to be purged", SOON, || {
        domain.cli(&["agent", "count"]).succeeds().stdout.starts_with("0 ").then_some(())
    });
    assert!(alias(&domain).contains("Found 0 entries"), "{}", alias(&domain));
    domain.cli(&["entry", "show", "-entryID", &kept]).succeeds();
    let log = domain.server().log();
    assert!(log.contains("Cascade-deleted registration entry on attested node deletion"), "{log}");
}

#[test]
fn an_agent_may_be_named_by_its_own_id_as_a_selector() {
    let experimental = "experimental { agent_spiffe_id_as_selector = true }";
    let domain = Domain::start(Options::default().server_line(experimental));
    let (selector, alias) = (format!("spiffe_id:{}", first_agent(&domain)), domain.id("this-one"));
    domain.cli(&["entry", "create", "-node", "-spiffeID", &alias, "-selector", &selector]).succeeds();
    let (id, own) = (domain.id("here"), Domain::own_selector());
    domain.cli(&["entry", "create", "-parentID", &alias, "-spiffeID", &id, "-selector", &own]).succeeds();
    eventually("the workload below the alias to be served", Duration::from_secs(30), || {
        domain.agent().cli(&["api", "fetch", "x509"]).stdout.contains(&id).then_some(())
    });
}

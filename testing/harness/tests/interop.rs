//! SPIRE's own programs as peers, from the folder that `SPIRE_BIN` names: `make interop SPIRE_BIN=DIR`.
//!
//! Each check also runs with SPIRE on both sides: what SPIRE itself does not pass says nothing about us.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checks;
#[path = "checks/authorities.rs"]
mod forced;
#[path = "checks/lockstep.rs"]
mod lockstep;
#[path = "checks/nested.rs"]
mod nested;
#[path = "checks/node_attestors.rs"]
mod node_attestors;
#[path = "checks/samples.rs"]
mod samples;
#[path = "checks/x509pop.rs"]
mod x509pop;

use std::time::Duration;

use checks::{client_gets_along, domain_with_a_client, mutual_tls_survives_a_rotation};
use harness::Program::{Bonafide, Spire};
use harness::{Client, Domain, Options, Program, eventually, skip};

/// Says that the test is skipped, unless SPIRE's programs are here.
fn spire_is_missing(test: &str) -> bool {
    Spire.available().inspect_err(|missing| skip(test, missing)).is_err()
}

fn clients() -> impl Iterator<Item = Client> {
    [Client::Rust, Client::Go, Client::Python, Client::Java].into_iter().filter(|it| it.available().is_ok())
}

/// The life of an agent and a workload: attest, serve, follow changes, come back after restarts, be banned.
fn agent_lives_on_server(server: Program, agent: Program) {
    let mut domain = domain_with_a_client(Options::default().short_svids().programs(server, agent));
    for client in clients() {
        client_gets_along(client, &domain);
    }

    let listed = domain.cli(&["agent", "list"]).succeeds().stdout;
    assert!(listed.contains("Found 1 attested agent"), "{listed}");

    let second = domain.id("second");
    let entry = domain.workload(&second, &["-dns", "second.example.org"]);
    domain.cli(&["entry", "delete", "-entryID", &entry]).succeeds();
    let gone = "the deleted entry to be served no more";
    eventually(gone, Duration::from_secs(30), || {
        let fetched = domain.agent().cli(&["api", "fetch", "x509"]);
        (fetched.ok() && !fetched.stdout.contains(&second)).then_some(())
    });

    domain.server().restart();
    domain.workload(&domain.id("third"), &[]);
    domain.agent_mut(0).restart();
    domain.workload(&domain.id("fourth"), &[]);

    let shown = domain.cli(&["agent", "list", "-output", "json"]).succeeds().json();
    let path = shown["agents"][0]["id"]["path"].as_str().unwrap().to_owned();
    let banned = format!("spiffe://example.org{path}");
    domain.cli(&["agent", "ban", "-spiffeID", &banned]).succeeds();
    domain.agent_mut(0).process().wait(Duration::from_secs(60));
}

#[test]
fn our_server_serves_spires_agent() {
    if !spire_is_missing("SPIRE's agent on our server") {
        agent_lives_on_server(Bonafide, Spire);
    }
}

#[test]
fn our_agent_lives_on_spires_server() {
    if !spire_is_missing("our agent on SPIRE's server") {
        agent_lives_on_server(Spire, Bonafide);
    }
}

#[test]
fn spires_agent_on_spires_server_passes_the_same_checks() {
    if !spire_is_missing("SPIRE's agent on SPIRE's server") {
        agent_lives_on_server(Spire, Spire);
    }
}

#[test]
fn spires_agent_attests_to_our_server_by_its_certificate() {
    if !spire_is_missing("x509pop of SPIRE's agent on our server") {
        x509pop::node_attests_by_its_certificate(Bonafide, Spire);
    }
}

#[test]
fn our_agent_attests_to_spires_server_by_its_certificate() {
    if !spire_is_missing("x509pop of our agent on SPIRE's server") {
        x509pop::node_attests_by_its_certificate(Spire, Bonafide);
    }
}

/// Both ways, and SPIRE with itself: what SPIRE does not pass says nothing about us.
fn with_spire(what: &str, check: fn(Program, Program)) {
    for (server, agent) in [(Bonafide, Spire), (Spire, Bonafide), (Spire, Spire)] {
        if !spire_is_missing(&format!("{what} of {agent:?} on {server:?}")) {
            check(server, agent);
        }
    }
}

#[test]
fn nodes_attest_by_their_names_across() {
    with_spire("http_challenge", node_attestors::node_attests_by_its_name);
}

#[test]
fn nodes_attest_by_their_ssh_host_certificates_across() {
    with_spire("sshpop", node_attestors::node_attests_by_its_host_certificate);
}

#[test]
fn nodes_attest_by_their_tpms_across() {
    with_spire("tpm_devid", node_attestors::node_attests_by_its_tpm);
}

#[test]
fn our_agents_key_stays_in_the_tpm_below_spires_server() {
    if !spire_is_missing("KeyManager tpm of our agent on SPIRE's server") {
        node_attestors::the_agents_key_stays_in_the_tpm(Spire);
    }
}

/// Mutual TLS of workloads while the server's authority rotates below the agent.
fn authority_rotates(server: Program, agent: Program) {
    let domain = domain_with_a_client(Options::default().short_authority().programs(server, agent));
    mutual_tls_survives_a_rotation(&domain, "125");
}

#[test]
fn the_authority_of_our_server_rotates_below_spires_agent() {
    if !spire_is_missing("a rotation of ours below SPIRE's agent") {
        authority_rotates(Bonafide, Spire);
    }
}

#[test]
fn the_authority_of_spires_server_rotates_below_our_agent() {
    if !spire_is_missing("a rotation of SPIRE's below our agent") {
        authority_rotates(Spire, Bonafide);
    }
}

/// A forced rotation of both families of authorities.
fn authorities_are_replaced(commands: Program, server: Program, agent: Program) {
    let domain = domain_with_a_client(Options::default().programs(server, agent));
    forced::x509_is_replaced(&domain, commands);
    forced::jwt_is_replaced(&domain, commands);
}

#[test]
fn spires_commands_force_a_rotation_of_our_server_below_spires_agent() {
    if !spire_is_missing("a forced rotation of ours below SPIRE's agent") {
        authorities_are_replaced(Spire, Bonafide, Spire);
    }
}

#[test]
fn our_commands_force_a_rotation_of_spires_server_below_our_agent() {
    if !spire_is_missing("a forced rotation of SPIRE's below our agent") {
        authorities_are_replaced(Bonafide, Spire, Bonafide);
    }
}

#[test]
fn spires_commands_force_a_rotation_of_spires_server_and_pass_the_same_checks() {
    if !spire_is_missing("a forced rotation of SPIRE's below SPIRE's agent") {
        authorities_are_replaced(Spire, Spire, Spire);
    }
}

/// Three levels of which one is SPIRE's: a taint at the top reaches the bottom, and keys of the bottom the top.
fn levels_work(test: &str, programs: [Program; 3]) {
    if spire_is_missing(test) {
        return;
    }
    if let Err(missing) = Client::Rust.available() {
        return skip(test, &missing);
    }
    let levels = nested::levels(programs, &Options::default());
    levels.keys_are_published();
    levels.root_is_replaced(Bonafide);
}

#[test]
fn three_levels_work_with_spires_server_at_the_top() {
    levels_work("three levels with SPIRE's at the top", [Spire, Bonafide, Bonafide]);
}

#[test]
fn three_levels_work_with_spires_server_in_the_middle() {
    levels_work("three levels with SPIRE's in the middle", [Bonafide, Spire, Bonafide]);
}

#[test]
fn three_levels_work_with_spires_server_at_the_bottom() {
    levels_work("three levels with SPIRE's at the bottom", [Bonafide, Bonafide, Spire]);
}

/// Orders that are out of turn, each in its words; the codes differ where SPIRE says `Internal` for what the caller did.
#[test]
fn orders_out_of_turn_are_refused_in_spires_words() {
    if spire_is_missing("orders out of turn") {
        return;
    }
    let said = |server: Program| {
        let domain = Domain::start_server(Options::default().programs(server, server));
        let mut said = Vec::new();
        for name in ["x509", "jwt"] {
            let family = forced::Family { domain: &domain, commands: Spire, name };
            let active = family.stage("active");
            let mut tell = |verb: &str, id: &str| {
                let ran = domain.cli_of(Spire, &["localauthority", name, verb, "-authorityID", id]).fails();
                let text = ran.stderr.split(" desc = ").last().unwrap_or_default().replace(id, "ID");
                said.push(format!("{name} {verb}: {}", text.trim()));
            };
            for verb in ["activate", "taint", "revoke"] {
                tell(verb, "unknown");
                tell(verb, &active);
            }
            domain.cli_of(Spire, &["localauthority", name, "prepare"]).succeeds();
            let prepared = family.stage("prepared");
            tell("taint", &prepared);
            tell("revoke", &prepared);
            domain.cli_of(Spire, &["localauthority", name, "activate", "-authorityID", &prepared]).succeeds();
            tell("activate", &active);
            tell("revoke", &active);
            family.taint(&active);
            tell("taint", &active);
            family.revoke(&active);
            tell("revoke", &active);
        }
        for verb in ["taint", "revoke"] {
            let ran = domain.cli_of(Spire, &["upstreamauthority", verb, "-subjectKeyID", "aa"]).fails();
            said.push(ran.stderr);
        }
        said
    };
    assert_eq!(said(Bonafide), said(Spire));
}

#[test]
fn orders_and_mistakes_end_the_same_in_lockstep_with_spire() {
    if spire_is_missing("orders_and_mistakes_end_the_same_in_lockstep_with_spire") {
        return;
    }
    lockstep::both_go_the_same_way(Bonafide, Spire);
}

/// Commands that only look. Both implementations must print the same, since it is the same server that they ask.
const LOOKS: [&[&str]; 18] = [
    &["healthcheck"],
    &["entry", "show"],
    &["entry", "show", "-output", "json"],
    &["entry", "show", "-spiffeID", "spiffe://example.org/full"],
    &["entry", "count"],
    &["agent", "list"],
    &["agent", "list", "-output", "json"],
    &["agent", "count"],
    &["bundle", "show"],
    &["bundle", "show", "-format", "spiffe"],
    &["bundle", "show", "-output", "json"],
    &["bundle", "list"],
    &["bundle", "count"],
    &["federation", "list"],
    &["federation", "list", "-output", "json"],
    &["federation", "show", "-trustDomain", "other.test"],
    &["federation", "show", "-trustDomain", "other.test", "-output", "json"],
    &["agent", "purge", "-dryRun"],
];

/// Commands that fail, or only say how they are used. Both implementations must end with the same exit code.
const STUMBLES: [&[&str]; 20] = [
    &["entry", "show", "-entryID", "none"],
    &["entry", "delete", "-entryID", "none"],
    &["entry", "delete"],
    &["entry", "create", "-spiffeID", "spiffe://example.org/x"],
    &["entry", "create", "-spiffeID", "nonsense", "-parentID", "spiffe://example.org/x", "-selector", "a:b"],
    &["entry", "update", "-entryID", "none"],
    &["agent", "show", "-spiffeID", "spiffe://example.org/spire/agent/none"],
    &["agent", "show"],
    &["agent", "ban", "-spiffeID", "spiffe://example.org/spire/agent/none"],
    &["bundle", "list", "-id", "spiffe://unknown.test"],
    &["bundle", "show", "-format", "unknown"],
    &["federation", "show", "-trustDomain", "unknown.test"],
    &["federation", "delete", "-id", "unknown.test"],
    &["federation", "refresh", "-id", "unknown.test"],
    &["federation", "create", "-trustDomain", "a.test", "-bundleEndpointURL", "https://a.test"],
    &[
        "federation",
        "update",
        "-trustDomain",
        "a.test",
        "-bundleEndpointURL",
        "https://a.test",
        "-bundleEndpointProfile",
        "https_web",
    ],
    &[
        "federation",
        "create",
        "-trustDomain",
        "a.test",
        "-bundleEndpointURL",
        "http://a.test",
        "-bundleEndpointProfile",
        "https_web",
    ],
    &["x509", "mint"],
    &["jwt", "mint", "-spiffeID", "spiffe://example.org/x"],
    &["token", "generate", "-unknownFlag", "x"],
];

fn fill(domain: &Domain, by: Program) -> String {
    let path = domain.folder().join("other.json");
    std::fs::write(&path, domain.cli_of(by, &["bundle", "show", "-format", "spiffe"]).succeeds().stdout)
        .unwrap();
    let path = path.display().to_string();
    let set = ["bundle", "set", "-id", "spiffe://other.test", "-path", &path, "-format", "spiffe"];
    domain.cli_of(by, &set).succeeds();
    let follow = [
        "federation",
        "create",
        "-trustDomain",
        "other.test",
        "-bundleEndpointURL",
        "https://localhost:1/bundle",
        "-bundleEndpointProfile",
        "https_spiffe",
        "-endpointSpiffeID",
        "spiffe://other.test/endpoint",
    ];
    domain.cli_of(by, &follow).succeeds();
    let (parent, id) = (domain.id("node"), domain.id("full"));
    let entry = [
        "entry",
        "create",
        "-parentID",
        &parent,
        "-spiffeID",
        &id,
        "-selector",
        "unix:uid:4000000",
        "-selector",
        "unix:gid:1",
        "-dns",
        "a.test",
        "-dns",
        "b.test",
        "-federatesWith",
        "spiffe://other.test",
        "-x509SVIDTTL",
        "600",
        "-jwtSVIDTTL",
        "60",
        "-hint",
        "the hint",
        "-admin",
        "-downstream",
        "-entryExpiry",
        "4000000000",
        "-entryID",
        "a-chosen-id",
    ];
    domain.cli_of(by, &entry).succeeds().stdout
}

/// Both implementations' commands print the same about one server.
fn commands_agree(server: Program, agent: Program) {
    let domain = domain_with_a_client(Options::default().programs(server, agent));
    fill(&domain, server);
    for look in LOOKS {
        let (ours, theirs) =
            (domain.cli_of(Bonafide, look).succeeds(), domain.cli_of(Spire, look).succeeds());
        assert_eq!(ours.stdout, theirs.stdout, "{ours}\n{theirs}");
    }
    for stumble in STUMBLES {
        let (ours, theirs) = (domain.cli_of(Bonafide, stumble), domain.cli_of(Spire, stumble));
        assert_eq!(ours.code, theirs.code, "{ours}\n{theirs}");
    }
}

#[test]
fn both_commands_print_the_same_about_our_server() {
    if !spire_is_missing("what both commands print about our server") {
        commands_agree(Bonafide, Bonafide);
    }
}

#[test]
fn both_commands_print_the_same_about_spires_server() {
    if !spire_is_missing("what both commands print about SPIRE's server") {
        commands_agree(Spire, Spire);
    }
}

/// All commands of one implementation on the sockets of a server and an agent.
fn commands_work(commands: Program, server: Program, agent: Program) {
    let domain = domain_with_a_client(Options::default().programs(server, agent));
    fill(&domain, commands);

    let run = |arguments: &[&str]| domain.cli_of(commands, arguments);
    let (parent, id) = (domain.id("node"), domain.id("full"));
    let update = ["entry", "update", "-entryID", "a-chosen-id", "-parentID", &parent, "-spiffeID", &id];
    let update: Vec<&str> = update.into_iter().chain(["-selector", "unix:uid:4000001"]).collect();
    let updated = run(&update).succeeds().stdout;
    assert!(updated.contains("unix:uid:4000001") && !updated.contains("a.test"), "{updated}");
    run(&["entry", "delete", "-entryID", "a-chosen-id"]).succeeds();
    run(&["entry", "delete", "-entryID", "a-chosen-id"]).fails();
    let follow =
        ["federation", "update", "-trustDomain", "other.test", "-bundleEndpointProfile", "https_web"];
    let follow: Vec<&str> = follow.into_iter().chain(["-bundleEndpointURL", "https://localhost:1"]).collect();
    let followed = run(&follow).succeeds().stdout;
    assert!(followed.contains("https_web") && !followed.contains("endpoint\n"), "{followed}");
    run(&["federation", "delete", "-id", "spiffe://other.test"]).succeeds();
    let found = run(&["federation", "list"]).succeeds().stdout;
    assert!(found.starts_with("Found 0 federation relationships"), "{found}");
    let info = run(&["debug", "getinfo"]).succeeds().stdout;
    assert!(
        info.contains("/spire/server") && info.contains("[1] SPIFFE ID:  spiffe://example.org\n"),
        "{info}"
    );
    run(&["agent", "purge"]).succeeds();
    run(&["bundle", "delete", "-id", "spiffe://other.test"]).succeeds();

    let minted = run(&["x509", "mint", "-spiffeID", &id, "-dns", "a.test"]).succeeds().stdout;
    assert!(minted.contains("BEGIN CERTIFICATE") && minted.contains("BEGIN PRIVATE KEY"), "{minted}");
    let token = run(&["jwt", "mint", "-spiffeID", &id, "-audience", "someone"]).succeeds().stdout;
    let token = token.trim();

    let agent_run = |arguments: &[&str]| domain.agent().cli_of(commands, arguments);
    agent_run(&["healthcheck"]).succeeds();
    agent_run(&["api", "fetch", "x509"]).succeeds();
    let fetched =
        agent_run(&["api", "fetch", "jwt", "-audience", "someone", "-output", "json"]).succeeds().json();
    assert_eq!(fetched[0]["svids"][0]["spiffe_id"], domain.id("client"), "{fetched}");
    agent_run(&["api", "validate", "jwt", "-audience", "someone", "-svid", token]).succeeds();
    agent_run(&["api", "validate", "jwt", "-audience", "another", "-svid", token]).fails();

    let listed = run(&["agent", "list", "-output", "json"]).succeeds().json();
    let node = format!("spiffe://example.org{}", listed["agents"][0]["id"]["path"].as_str().unwrap());
    run(&["agent", "show", "-spiffeID", &node]).succeeds();
    run(&["agent", "ban", "-spiffeID", &node]).succeeds();
    run(&["agent", "evict", "-spiffeID", &node]).succeeds();
    let counted = run(&["agent", "count"]).succeeds().stdout;
    assert!(counted.starts_with("0 "), "{counted}");
}

#[test]
fn spires_commands_work_on_our_sockets() {
    if !spire_is_missing("SPIRE's commands on our sockets") {
        commands_work(Spire, Bonafide, Bonafide);
    }
}

#[test]
fn our_commands_work_on_spires_sockets() {
    if !spire_is_missing("our commands on SPIRE's sockets") {
        commands_work(Bonafide, Spire, Spire);
    }
}

#[test]
fn spires_commands_on_spires_sockets_pass_the_same_checks() {
    if !spire_is_missing("SPIRE's commands on SPIRE's sockets") {
        commands_work(Spire, Spire, Spire);
    }
}

#[test]
fn the_samples_of_spires_release_are_valid_and_start() {
    match samples::folder() {
        Ok(conf) => {
            samples::samples_are_valid(&conf);
            samples::samples_start(&conf);
        }
        Err(missing) => skip("the samples of SPIRE's release", &missing),
    }
}

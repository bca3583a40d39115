//! Mutual TLS between Envoys.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::{Domain, Envoy, Options, Program, ask, eventually};
use serde_json::Value;

use crate::bootstrap::{Identity, Protocol, back, front};
use crate::forced::Family;
use crate::load::Load;
use crate::missing;

const SOON: Duration = Duration::from_secs(60);

/// The serial number of the certificate that an Envoy has.
fn serial(envoy: &Envoy) -> String {
    let certs: Value = serde_json::from_str(&envoy.admin("/certs").unwrap().body).unwrap();
    let all = certs["certificates"].as_array().unwrap().iter();
    let chain = all.filter_map(|one| one["cert_chain"].as_array()?.first());
    chain.filter_map(|one| one["serial_number"].as_str()).next().unwrap_or_default().to_owned()
}

/// How many authorities an Envoy has of each trust domain, by the secret of that name.
fn authorities(envoy: &Envoy, name: &str) -> Vec<(String, usize)> {
    let dump = envoy.admin("/config_dump?resource=dynamic_active_secrets").unwrap().body;
    let dump: Value = serde_json::from_str(&dump).unwrap();
    let all = dump["configs"].as_array().cloned().unwrap_or_default();
    let Some(secret) = all.iter().find(|one| one["name"] == name) else { return Vec::new() };
    let config = &secret["secret"]["validation_context"]["custom_validator_config"]["typed_config"];
    let domains = config["trust_domains"].as_array().unwrap_or_else(|| panic!("{secret}")).iter();
    domains
        .map(|one| {
            let pem = STANDARD.decode(one["trust_bundle"]["inline_bytes"].as_str().unwrap()).unwrap();
            let count = String::from_utf8(pem).unwrap().matches("BEGIN CERTIFICATE").count();
            (one["name"].as_str().unwrap().to_owned(), count)
        })
        .collect()
}

fn moves(what: &str, envoys: [&Envoy; 2]) {
    let before = envoys.map(serial);
    assert!(before.iter().all(|one| !one.is_empty()));
    for (envoy, before) in envoys.into_iter().zip(before) {
        eventually(what, SOON, || (serial(envoy) != before).then_some(()));
    }
}

fn own(count: usize) -> Vec<(String, usize)> {
    vec![("example.org".to_owned(), count)]
}

/// One asks by state of the world and one by differences; SVIDs live 12 seconds, and the authority is replaced.
fn keeps_mutual_tls_up(agent: Program, protocols: [Protocol; 2]) {
    let domain = Domain::start(Options::default().programs(Program::Bonafide, agent));
    let (at, client, server) = (domain.folder(), domain.id("front"), domain.id("back"));
    for id in [&client, &server] {
        domain.workload(id, &["-x509SVIDTTL", "12"]);
    }
    let socket = domain.agent().socket();
    let identity = |protocol, own, peer| Identity { socket: &socket, protocol, own, roots: "ROOTCA", peer };
    let back = Envoy::start(&at.join("back"), &back(&identity(protocols[0], &server, &client)));
    let front =
        Envoy::start(&at.join("front"), &front(&identity(protocols[1], &client, &server), back.port("tls")));
    let port = front.port("plain");
    let wanted = [format!("x-client: {client}"), format!("x-server: {server}")];
    let load = Load::start(port, 3, &wanted);

    let family = Family { domain: &domain, commands: Program::Bonafide, name: "x509" };
    moves("an SVID to be renewed", [&front, &back]);
    assert_eq!(authorities(&front, "ROOTCA"), own(1));
    let old = family.replace();
    assert_eq!((authorities(&front, "ROOTCA"), authorities(&back, "ROOTCA")), (own(2), own(2)));
    family.taint(&old);
    moves("an SVID of the new authority", [&front, &back]);
    family.revoke(&old);
    for envoy in [&front, &back] {
        eventually("the old authority to go", SOON, || {
            (authorities(envoy, "ROOTCA") == own(1)).then_some(())
        });
    }
    moves("an SVID to be renewed after the revocation", [&front, &back]);
    let count = load.finish();
    assert!(count > 100, "{count} requests");
    for envoy in [&front, &back] {
        let rejected = envoy.statistic("sds.ROOTCA.update_rejected");
        assert_eq!(rejected, 0, "{}", envoy.log());
        assert!(envoy.statistic("sds.ROOTCA.update_success") >= 3);
    }
}

#[test]
fn envoys_keep_mutual_tls_up_through_rotations_of_svids_and_of_the_authority_without_a_failed_request() {
    if !missing("mutual TLS of Envoys through rotations") {
        keeps_mutual_tls_up(Program::Bonafide, [Protocol::World, Protocol::Delta]);
    }
}

#[test]
fn an_envoy_refuses_who_is_of_another_trust_domain_or_has_another_name() {
    if missing("Envoys that refuse") {
        return;
    }
    let domain = Domain::start(Options::default());
    let (client, server) = (domain.id("front"), domain.id("back"));
    domain.workload(&client, &[]);
    domain.workload(&server, &[]);
    let socket = domain.agent().socket();
    let identity =
        |own, roots, peer| Identity { socket: &socket, protocol: Protocol::World, own, roots, peer };
    let back = Envoy::start(
        &domain.folder().join("back"),
        &back(&identity(&server, "spiffe://example.org", &client)),
    );
    for (name, peer, status) in [("right", &server, 200), ("wrong", &client, 503)] {
        let front = front(&identity(&client, "ALL", peer), back.port("tls"));
        let front = Envoy::start(&domain.folder().join(name), &front);
        let answer = ask(front.port("plain"), "/", "").unwrap();
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let impostor = front(&identity(&server, "ROOTCA", &server), back.port("tls"));
    let impostor = Envoy::start(&domain.folder().join("impostor"), &impostor);
    assert_eq!(
        ask(impostor.port("plain"), "/", "").unwrap().status,
        503,
        "the server's own name is no client's"
    );
}

#[test]
fn names_that_istio_asks_for_get_the_first_identity_and_all_authorities() {
    if missing("Istio's names") {
        return;
    }
    let names = "sds {\n    default_bundle_name = \"null\"\n    default_all_bundles_name = \"ROOTCA\"\n  }";
    let domain = Domain::start(Options::default().agent_line(names));
    let other = domain.folder().join("other.pem");
    std::fs::write(&other, domain.cli(&["bundle", "show"]).succeeds().stdout).unwrap();
    domain
        .cli(&["bundle", "set", "-id", "spiffe://other.example", "-path", other.to_str().unwrap()])
        .succeeds();
    let id = domain.id("workload");
    domain.workload(&id, &["-federatesWith", "spiffe://other.example"]);
    let socket = domain.agent().socket();
    let identity =
        |protocol| Identity { socket: &socket, protocol, own: "default", roots: "ROOTCA", peer: &id };
    for (folder, protocol) in [("world", Protocol::World), ("delta", Protocol::Delta)] {
        let at = domain.folder().join(folder);
        let back = Envoy::start(&at.join("back"), &back(&identity(protocol)));
        let front = Envoy::start(&at.join("front"), &front(&identity(protocol), back.port("tls")));
        let answer = ask(front.port("plain"), "/", "").unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let both = [("example.org".to_owned(), 1), ("other.example".to_owned(), 1)];
        assert_eq!(authorities(&front, "ROOTCA"), both);
    }
}

#[test]
fn the_example_of_the_documents_takes_mutual_tls() {
    if missing("the document's Envoy") {
        return;
    }
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/envoy.md");
    let page = std::fs::read_to_string(page).unwrap();
    let example = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let domain = Domain::start(Options::default());
    let (client, server) = (domain.id("client"), domain.id("web"));
    domain.workload(&client, &[]);
    domain.workload(&server, &[]);
    let socket = domain.agent().socket();
    let mut text = example.to_owned();
    for (from, to) in [
        ("admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }\n", ""),
        ("port_value: 8443", "port_value: 0"),
        ("/tmp/spire-agent/public/api.sock", socket.to_str().unwrap()),
        ("route: { cluster: web }", "direct_response: { status: 200 }"),
    ] {
        assert!(text.contains(from), "{from:?} is in the example");
        text = text.replace(from, to);
    }
    let back = Envoy::start(&domain.folder().join("back"), &text);
    let identity =
        |own, peer| Identity { socket: &socket, protocol: Protocol::World, own, roots: "ROOTCA", peer };
    for (folder, own, status) in [("client", &client, 200), ("other", &server, 503)] {
        let front = front(&identity(own, &server), back.port("tls"));
        let front = Envoy::start(&domain.folder().join(folder), &front);
        assert_eq!(ask(front.port("plain"), "/", "").unwrap().status, status);
    }
}

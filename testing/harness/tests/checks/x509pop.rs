//! Nodes that prove possession of a certificate from a PKI of their own.

use std::path::Path;
use std::time::Duration;

use harness::{Domain, NodeAttestor, Options, Program, eventually};

/// A certificate for the node and the PKI's roots: `svid.pem`, `key.pem`, `bundle.pem`, minted by a server that is then gone.
fn pki(folder: &Path, by: Program) {
    let options = Options { trust_domain: "pki.test".to_owned(), ..Options::default() }.programs(by, by);
    let pki = Domain::start_server(options);
    let folder = folder.display().to_string();
    pki.cli(&["x509", "mint", "-spiffeID", "spiffe://pki.test/node", "-write", &folder]).succeeds();
}

/// Attests, is found by a selector of its certificate, and after an eviction comes back by itself.
pub(crate) fn node_attests_by_its_certificate(server: Program, agent: Program) {
    let folder = tempfile::tempdir().unwrap();
    pki(folder.path(), server);
    let path = |file: &str| folder.path().join(file).display().to_string();
    let node_attestor = NodeAttestor::Custom {
        server: format!(
            "NodeAttestor \"x509pop\" {{ plugin_data {{ ca_bundle_path = \"{}\" }} }}",
            path("bundle.pem")
        ),
        agent: format!(
            "NodeAttestor \"x509pop\" {{\n plugin_data {{\n private_key_path = \"{}\"\n certificate_path = \"{}\"\n }}\n }}",
            path("key.pem"),
            path("svid.pem"),
        ),
    };
    let domain = Domain::start(Options { node_attestor, ..Options::default() }.programs(server, agent));

    let listed = domain.cli(&["agent", "list", "-output", "json"]).succeeds().json();
    let agent = &listed["agents"][0];
    let id_path = agent["id"]["path"].as_str().unwrap();
    assert!(id_path.starts_with("/spire/agent/x509pop/"), "{listed}");
    assert_eq!(agent["can_reattest"], true, "{listed}");
    let selector = &agent["selectors"][0];
    let selector = format!("{}:{}", selector["type"].as_str().unwrap(), selector["value"].as_str().unwrap());
    assert!(selector.starts_with("x509pop:"), "{listed}");

    let node = domain.id("node");
    domain.cli(&["entry", "create", "-node", "-spiffeID", &node, "-selector", &selector]).succeeds();
    domain.workload(&domain.id("client"), &[]);

    domain.cli(&["agent", "evict", "-spiffeID", &format!("spiffe://example.org{id_path}")]).succeeds();
    let back = "the evicted agent to attest again by itself";
    eventually(back, Duration::from_secs(60), || {
        domain.cli(&["agent", "count"]).stdout.starts_with("1 attested").then_some(())
    });
    domain.workload(&domain.id("after-eviction"), &[]);
}

//! Nodes that prove themselves by their name, their SSH host key or their TPM.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::{Domain, NodeAttestor, Options, Program, Ran, SoftTpm, eventually, free_port, skip};

/// A domain whose agent attests by these blocks.
fn domain(server: (Program, &str), agent: (Program, &str)) -> Domain {
    let node_attestor = NodeAttestor::Custom { server: server.1.to_owned(), agent: agent.1.to_owned() };
    Domain::start(Options { node_attestor, ..Options::default() }.programs(server.0, agent.0))
}

/// The only agent: the path of its ID, whether it may attest again, and its selectors.
fn only_agent(domain: &Domain) -> (String, bool, Vec<String>) {
    let listed = domain.cli(&["agent", "list", "-output", "json"]).succeeds().json();
    let agent = &listed["agents"][0];
    let text = |of: &serde_json::Value| of.as_str().unwrap().to_owned();
    let selectors = agent["selectors"].as_array().unwrap().iter();
    let selectors = selectors.map(|it| format!("{}:{}", text(&it["type"]), text(&it["value"])));
    (text(&agent["id"]["path"]), agent["can_reattest"].as_bool().unwrap(), selectors.collect())
}

/// Serves a workload below the agent's own ID.
fn serves(domain: &Domain, agent_path: &str) {
    let (parent, workload) = (format!("spiffe://example.org{agent_path}"), domain.id("client"));
    let selector = Domain::own_selector();
    let entry = ["entry", "create", "-parentID", &parent, "-spiffeID", &workload, "-selector", &selector];
    domain.cli(&entry).succeeds();
    eventually("the agent to serve a workload", Duration::from_secs(30), || {
        let fetched = domain.agent().cli(&["api", "fetch", "x509"]);
        (fetched.ok() && fetched.stdout.contains(&workload)).then_some(())
    });
}

/// Is asked for its nonce on loopback, and serves a workload. Without what it remembers it comes back only once its name
/// was given free.
pub(crate) fn node_attests_by_its_name(server: Program, agent: Program) {
    let port = free_port();
    let mut domain = domain(
        (
            server,
            &format!(
                "NodeAttestor \"http_challenge\" {{\n plugin_data {{\n \
                 allowed_dns_patterns = [\"^127\\\\.0\\\\.0\\\\.1$\"]\n required_port = {port}\n }}\n }}"
            ),
        ),
        (
            agent,
            &format!(
                "NodeAttestor \"http_challenge\" {{\n plugin_data {{\n hostname = \"127.0.0.1\"\n port = {port}\n }}\n }}"
            ),
        ),
    );
    let (path, can_reattest, selectors) = only_agent(&domain);
    assert_eq!(path, "/spire/agent/http_challenge/127.0.0.1");
    assert!(!can_reattest);
    assert_eq!(selectors, ["http_challenge:hostname:127.0.0.1"]);
    serves(&domain, &path);

    domain.agent_mut(0).stop();
    let data = domain.agent().data();
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::create_dir(&data).unwrap();
    domain.agent_mut(0).spawn();
    let refused = "attestation data has already been used to attest an agent";
    domain.agent_mut(0).process().wait_for_log(refused, Duration::from_secs(60));
    domain.agent_mut(0).kill9();
    domain.cli(&["agent", "evict", "-spiffeID", &format!("spiffe://example.org{path}")]).succeeds();
    domain.agent_mut(0).start();
}

/// Signs with its host key, and comes back after an eviction.
pub(crate) fn node_attests_by_its_host_certificate(server: Program, agent: Program) {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/plugins/local/tests/samples/sshpop");
    for key in ["rsa", "p256", "p521", "ed25519"] {
        let domain = domain(
            (
                server,
                &format!(
                    "NodeAttestor \"sshpop\" {{\n plugin_data {{\n cert_authorities_path = \"{samples}/authorities.pub\"\n \
                     canonical_domain = \"example\"\n \
                     agent_path_template = \"/{{{{ .PluginName }}}}/{{{{ .Hostname }}}}/{{{{ index .ValidPrincipals 1 }}}}\"\n \
                     }}\n }}"
                ),
            ),
            (
                agent,
                &format!(
                    "NodeAttestor \"sshpop\" {{\n plugin_data {{\n host_key_path = \"{samples}/{key}\"\n \
                     host_cert_path = \"{samples}/{key}-cert.pub\"\n }}\n }}"
                ),
            ),
        );
        let (path, can_reattest, selectors) = only_agent(&domain);
        assert_eq!(path, format!("/spire/agent/sshpop/{key}.hosts/second.example"));
        assert!(can_reattest && selectors.is_empty(), "{selectors:?}");
        serves(&domain, &path);
        if key == "ed25519" {
            domain.cli(&["agent", "evict", "-spiffeID", &format!("spiffe://example.org{path}")]).succeeds();
            let back = "the evicted agent to attest again by itself";
            eventually(back, Duration::from_secs(60), || {
                domain.cli(&["agent", "count"]).stdout.starts_with("1 attested").then_some(())
            });
        }
    }
}

/// Proves by a software TPM that its DevID key is in it, and comes back after an eviction.
pub(crate) fn node_attests_by_its_tpm(server: Program, agent: Program) {
    let tpm = match SoftTpm::start("node-1") {
        Ok(tpm) => tpm,
        Err(missing) => return skip("tpm_devid", &missing),
    };
    let path = |name: &str| tpm.path(name).display().to_string();
    for (kind, password) in [("ecc", ""), ("rsa", "opensesame")] {
        let mut domain = domain(
            (
                server,
                &format!(
                    "NodeAttestor \"tpm_devid\" {{\n plugin_data {{\n devid_ca_path = \"{}\"\n endorsement_ca_path = \"{}\"\n }}\n }}",
                    path("devid-ca.pem"),
                    path("ek-ca.pem"),
                ),
            ),
            (agent, &tpm_agent(&tpm, kind, password)),
        );
        let (id_path, can_reattest, mut selectors) = only_agent(&domain);
        let fingerprint = fingerprint(&tpm.path(&format!("devid-{kind}.pem")));
        assert_eq!(id_path, format!("/spire/agent/tpm_devid/{fingerprint}"));
        assert!(can_reattest);
        selectors.sort();
        let mut expected = vec![
            format!("tpm_devid:ca:fingerprint:{}", self::fingerprint(&tpm.path("devid-ca.pem"))),
            "tpm_devid:issuer:cn:DevID CA".to_owned(),
            "tpm_devid:subject:cn:node-1".to_owned(),
        ];
        expected.sort();
        assert_eq!(selectors, expected);
        serves(&domain, &id_path);
        if kind == "rsa" {
            domain
                .cli(&["agent", "evict", "-spiffeID", &format!("spiffe://example.org{id_path}")])
                .succeeds();
            let back = "the evicted agent to attest again by itself";
            eventually(back, Duration::from_secs(60), || {
                domain.cli(&["agent", "count"]).stdout.starts_with("1 attested").then_some(())
            });
        }
        domain.agent_mut(0).stop();
    }
}

/// Keeps the key of the agent of ours in the TPM too, which our server may insist on.
pub(crate) fn the_agents_key_stays_in_the_tpm(server: Program) {
    let tpm = match SoftTpm::start("node-1") {
        Ok(tpm) => tpm,
        Err(missing) => return skip("KeyManager tpm", &missing),
    };
    let ours = server == Program::Bonafide;
    let keys = tempfile::tempdir().unwrap();
    let server_block = format!(
        "NodeAttestor \"tpm_devid\" {{\n plugin_data {{\n devid_ca_path = \"{}\"\n endorsement_ca_path = \"{}\"\n {}\n }}\n }}",
        tpm.path("devid-ca.pem").display(),
        tpm.path("ek-ca.pem").display(),
        if ours { "require_agent_key_in_tpm = true" } else { "" },
    );
    let agent_keys = format!(
        "KeyManager \"tpm\" {{\n plugin_data {{\n tpm_device_path = \"{}\"\n directory = \"{}\"\n }}\n }}",
        tpm.socket().display(),
        keys.path().display(),
    );
    let node_attestor = NodeAttestor::Custom { server: server_block, agent: tpm_agent(&tpm, "ecc", "") };
    let options = Options { node_attestor, agent_keys: Some(agent_keys), ..Options::default() };
    let mut domain = Domain::start(options.programs(server, Program::Bonafide));
    let (path, _, selectors) = only_agent(&domain);
    assert_eq!(selectors.iter().any(|it| it == "tpm_devid:agent-key:in-tpm"), ours, "{selectors:?}");
    serves(&domain, &path);

    let file = keys.path().join("tpm-keys.json");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("agent-svid-") && !domain.agent().data().join("keys.json").exists(), "{text}");
    // the key is loaded again, without a new proof
    domain.agent_mut(0).restart();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    domain.agent_mut(0).stop();
    if !ours {
        return;
    }

    // another agent of the same node, whose key is in a file
    let config = domain.agent().config();
    let with_disk = std::fs::read_to_string(&config).unwrap().replacen(
        "KeyManager \"tpm\" {\n plugin_data {\n",
        "KeyManager \"disk\" {\n plugin_data {\n",
        1,
    );
    std::fs::write(&config, with_disk).unwrap();
    domain.agent_mut(0).spawn();
    let refused = "the agent's key is not certified to be in the TPM";
    domain.agent_mut(0).process().wait_for_log(refused, Duration::from_secs(60));
    domain.agent_mut(0).kill9();
}

/// The agent's block for the DevID key of this kind.
pub(crate) fn tpm_agent(tpm: &SoftTpm, kind: &str, password: &str) -> String {
    let path = |name: &str| tpm.path(&format!("devid-{kind}.{name}")).display().to_string();
    format!(
        "NodeAttestor \"tpm_devid\" {{\n plugin_data {{\n tpm_device_path = \"{}\"\n devid_cert_path = \"{}\"\n \
         devid_priv_path = \"{}\"\n devid_pub_path = \"{}\"\n devid_password = \"{password}\"\n }}\n }}",
        tpm.socket().display(),
        path("pem"),
        path("priv"),
        path("pub"),
    )
}

/// SHA-1 of a certificate in a PEM file.
fn fingerprint(file: &Path) -> String {
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-noout", "-fingerprint", "-sha1", "-in"]).arg(file);
    let said = Ran::run(&mut openssl).succeeds().stdout;
    said.trim().rsplit('=').next().unwrap().replace(':', "").to_lowercase()
}

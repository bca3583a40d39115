//! The examples in `docs/examples`: what loads is valid, and what needs nothing from elsewhere starts. With `SPIRE_BIN`,
//! SPIRE judges all of them: they are files for it too.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::{Domain, NodeAttestor, Options, Process, Program, Ran, eventually, free_port, plugin, skip};

const READY: Duration = Duration::from_secs(30);

/// Examples that need what a test does not have, and what that is.
const NOT_STARTED: [(&str, &str); 9] = [
    ("server/policy.conf", "a policy of an operator's; tests/calls starts one"),
    ("agent/bootstrap-url.conf", "a web server whose certificate the web PKI vouches for"),
    ("agent/bootstrap-socket.conf", "a helper that serves a bundle on a socket"),
    ("agent/x509pop-workload-api.conf", "another agent"),
    ("agent/tpm-keys.conf", "a TPM; tests/node_attestors.rs starts one"),
    ("agent/tpm-devid.conf", "a TPM; tests/node_attestors.rs starts one"),
    ("agent/http-challenge.conf", "a name in DNS; tests/node_attestors.rs starts one"),
    ("server/upstream-disk.conf", "a CA of a PKI; tests/nested.rs starts one"),
    ("server/upstream-spire.conf", "a server above and an agent of it; tests/nested.rs starts them"),
];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples")
}

/// Keys and certificates of `ssh-keygen`.
fn ssh() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/plugins/local/tests/samples/sshpop")
}

/// The files of a role that are said to be supported.
fn supported(role: &str) -> Vec<String> {
    let list = fs::read_to_string(examples().join("README.md")).unwrap();
    let (here, _) = list.split_once("## Not supported yet").unwrap();
    let names = here.lines().filter_map(|line| line.strip_prefix("| [")?.split_once(']'));
    let files: Vec<String> =
        names.map(|(name, _)| name.to_owned()).filter(|name| name.starts_with(role)).collect();
    assert!(files.len() > 10, "{files:?}");
    files
}

/// A policy that admits nobody by itself, as far as an example needs one.
const POLICY: &str = r#"package spire
result = {
  "allow": false, "allow_if_admin": true, "allow_if_local": true, "allow_if_downstream": false, "allow_if_agent": true,
}
"#;

/// A folder to start an example in, with the files that it names.
struct Place {
    folder: tempfile::TempDir,
    config: PathBuf,
}

impl Place {
    /// A copy of the example, on ports that are free, beside certificates from `pki`.
    fn of(file: &str, pki: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let from = examples().join(file);
        let mut text = fs::read_to_string(&from).unwrap();
        text = text.replace("/etc/bonafide", &folder.path().display().to_string());
        for port in ["8085", "8086", "9965", "6065", "6066"] {
            text = text.replace(port, &free_port().to_string());
        }
        text = with_a_program(text);
        let config = folder.path().join(if file.ends_with(".json") { "x.json" } else { "x.conf" });
        fs::write(&config, text).unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        for name in ["join-token", "x509pop.hcl"] {
            let beside = from.parent().unwrap().join(name);
            if beside.exists() {
                fs::copy(beside, folder.path().join(name)).unwrap();
            }
        }
        fs::write(folder.path().join("policy.rego"), POLICY).unwrap();
        fs::write(folder.path().join("policy.json"), "{}").unwrap();
        for (name, of) in [
            ("datacenter-a.pem", "bundle.pem"),
            ("datacenter-b.pem", "bundle.pem"),
            ("issuers.pem", "bundle.pem"),
            ("devid-ca.pem", "bundle.pem"),
            ("tpm-makers.pem", "bundle.pem"),
            ("metrics.pem", "svid.pem"),
            ("metrics.key", "key.pem"),
            ("monitoring-ca.pem", "bundle.pem"),
            ("collector-ca.pem", "bundle.pem"),
            ("node.pem", "svid.pem"),
            ("node.key", "key.pem"),
        ] {
            fs::copy(pki.join(of), folder.path().join(name)).unwrap();
        }
        for (name, of) in [
            ("ssh-host-ca.pub", "ca-rsa.pub"),
            ("ssh_host_ed25519_key", "ed25519"),
            ("ssh_host_ed25519_key-cert.pub", "ed25519-cert.pub"),
        ] {
            fs::copy(ssh().join(of), folder.path().join(name)).unwrap();
        }
        Self { folder, config }
    }

    fn command(&self, program: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(words).arg("-config").arg(&self.config).current_dir(self.folder.path());
        command
            .arg("-expandEnv")
            .env("TRUST_DOMAIN", "prod.example")
            .env("DATA", self.folder.path().join("data"));
        command
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("test.sock")
    }

    fn start(&self, role: &str, port: u16, more: &[&str]) -> Process {
        let mut command = self.command(&Process::bonafide(), &[role, "run"]);
        command.args(["-serverPort", &port.to_string(), "-socketPath"]).arg(self.socket()).args(more);
        let mut process = Process::spawn(role, &mut command, &self.folder.path().join("test.log"));
        eventually("the example to be healthy", READY, || {
            assert!(process.ended().is_none(), "{} ended: {}", self.config.display(), process.log());
            let mut healthy = Command::new(Process::bonafide());
            healthy.args([role, "healthcheck", "-socketPath"]).arg(self.socket());
            Ran::run(&mut healthy).ok().then_some(())
        });
        process
    }
}

/// The text with a plugin that is there in the place of the one that an example names. Without one the plugin is off.
fn with_a_program(text: String) -> String {
    let named = "plugin_cmd = \"/usr/libexec/attestor-rack\"";
    if !text.contains(named) {
        return text;
    }
    let program = match plugin() {
        Ok(program) => program.display().to_string(),
        Err(missing) => {
            skip("the example of an external plugin", &missing);
            return text.replace(named, &format!("enabled = false\n    {named}"));
        }
    };
    let sum = Ran::run(Command::new("sha256sum").arg(&program)).succeeds().stdout;
    let sum = sum.split_whitespace().next().unwrap();
    let parts = [
        ("/usr/libexec/attestor-rack", program.as_str()),
        ("\"-site\", \"south\"", "\"attest\""),
        ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", sum),
        ("inventory = \"https://inventory.prod.example\"", "file = \"notes\""),
    ];
    parts.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in {text}");
        text.replace(from, to)
    })
}

/// Certificates of a PKI for nodes: `svid.pem`, `key.pem`, `bundle.pem`.
fn pki() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let pki = Domain::start_server(Options { trust_domain: "pki.test".to_owned(), ..Options::default() });
    let path = folder.path().display().to_string();
    pki.cli(&["x509", "mint", "-spiffeID", "spiffe://pki.test/node", "-write", &path]).succeeds();
    folder
}

#[test]
fn what_is_supported_is_valid() {
    let pki = pki();
    for role in ["server", "agent"] {
        for file in supported(role) {
            let said = Ran::run(
                &mut Place::of(&file, pki.path()).command(&Process::bonafide(), &[role, "validate"]),
            );
            assert!(said.ok(), "{file}: {said}");
        }
    }
}

#[test]
fn every_supported_example_of_the_server_starts() {
    let pki = pki();
    for file in supported("server") {
        if let Some((_, needs)) = NOT_STARTED.iter().find(|(name, _)| *name == file) {
            assert!(!needs.is_empty());
            continue;
        }
        let place = Place::of(&file, pki.path());
        let mut process = place.start("server", free_port(), &[]);
        assert_eq!(process.stop(), Some(0), "{file}");
    }
}

#[test]
fn every_supported_example_of_the_agent_starts() {
    let pki = pki();
    let roots = pki.path().join("bundle.pem").display().to_string();
    let ssh_ca = ssh().join("ca-rsa.pub").display().to_string();
    let server = format!(
        "NodeAttestor \"join_token\" {{ plugin_data {{}} }}\n  \
         NodeAttestor \"x509pop\" {{ plugin_data {{ ca_bundle_path = \"{roots}\" }} }}\n  \
         NodeAttestor \"sshpop\" {{ plugin_data {{ cert_authorities_path = \"{ssh_ca}\" }} }}"
    );
    let node_attestor = NodeAttestor::Custom { server, agent: String::new() };
    let options = Options { trust_domain: "prod.example".to_owned(), node_attestor, ..Options::default() };
    let mut domain = Domain::start_server(options);
    for file in supported("agent") {
        if let Some((_, needs)) = NOT_STARTED.iter().find(|(name, _)| *name == file) {
            assert!(!needs.is_empty());
            continue;
        }
        let place = Place::of(&file, pki.path());
        let bundle = domain.cli(&["bundle", "show"]).succeeds().stdout;
        fs::write(place.folder.path().join("bundle.pem"), bundle).unwrap();
        let text = fs::read_to_string(&place.config).unwrap();
        let token = domain.cli(&["token", "generate"]).succeeds().stdout;
        let token = token.lines().find_map(|line| line.strip_prefix("Token: ")).unwrap().to_owned();
        let more: &[&str] =
            match (text.contains("x509pop") || text.contains("sshpop"), text.contains("join_token_file")) {
                (false, false) => &["-joinToken", &token],
                _ => &[],
            };
        fs::write(place.folder.path().join("join-token"), &token).unwrap();
        let mut process = place.start("agent", domain.server().port(), more);
        assert_eq!(process.stop(), Some(0), "{file}");
    }
}

#[test]
fn spire_takes_every_example_that_is_supported() {
    if let Err(missing) = Program::Spire.available() {
        return skip("SPIRE's word on the examples", &missing);
    }
    let pki = pki();
    let programs = PathBuf::from(std::env::var_os("SPIRE_BIN").unwrap());
    for role in ["server", "agent"] {
        let program = programs.join(format!("spire-{role}"));
        for file in supported(role) {
            let text = fs::read_to_string(examples().join(&file)).unwrap();
            if text
                .lines()
                .take_while(|line| line.starts_with('#'))
                .any(|line| line.contains("Bonafide's own"))
            {
                continue;
            }
            let said = Ran::run(&mut Place::of(&file, pki.path()).command(&program, &["validate"]));
            assert!(said.ok(), "{file}: {said}");
        }
    }
}

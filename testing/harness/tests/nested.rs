//! Servers whose X.509 authority another signs: from files, and as levels of one trust domain.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checks;
#[path = "checks/authorities.rs"]
#[allow(dead_code, reason = "part of it serves other tests")]
mod forced;
#[path = "checks/nested.rs"]
mod levels;

use std::fs;
use std::path::Path;
use std::time::Duration;

use checks::domain_with_a_client;
use forced::{Family, served};
use harness::Program::Bonafide;
use harness::{Client, Domain, Options, eventually, skip};

const SOON: Duration = Duration::from_secs(40);

/// A root with its key, as OpenSSL makes it.
fn root(folder: &Path) {
    let path = |file: &str| folder.join(file).display().to_string();
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "1",
        ])
        .args(["-subj", "/O=Above/serialNumber=1", "-addext", "basicConstraints=critical,CA:TRUE"])
        .args(["-addext", "keyUsage=critical,keyCertSign,cRLSign"])
        .args(["-keyout", &path("key.pem"), "-out", &path("cert.pem")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn upstream(domain: &Domain, stage: &str) -> String {
    let shown = domain.cli(&["localauthority", "x509", "show", "-output", "json"]).succeeds().json();
    shown[stage]["upstream_authority_subject_key_id"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn an_authority_on_disk_is_read_again_and_can_be_tainted_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    root(folder.path());
    let plugin = format!(
        "UpstreamAuthority \"disk\" {{ plugin_data {{\n cert_file_path = \"{0}/cert.pem\"\n key_file_path = \
         \"{0}/key.pem\"\n }} }}",
        folder.path().display()
    );
    let domain = domain_with_a_client(Options::default().server_plugin(&plugin));
    let pem = fs::read_to_string(folder.path().join("cert.pem")).unwrap();
    assert_eq!(domain.cli(&["bundle", "show"]).succeeds().stdout, pem, "the root alone is in the bundle");
    let (first, old) = (served(&domain), upstream(&domain, "active"));

    for _ in 0..2 {
        domain.cli(&["localauthority", "jwt", "prepare"]).succeeds();
    }
    let log = domain.peek_server().log();
    let told = log.matches("UpstreamAuthority plugin does not support JWT-SVIDs.").count();
    assert_eq!(told, 1, "three keys, and it is said once: {log}");

    // Half of a new pair is no pair: the old one goes on.
    fs::write(folder.path().join("cert.pem"), "nonsense").unwrap();
    domain.cli(&["localauthority", "x509", "prepare"]).succeeds();
    assert_eq!(upstream(&domain, "prepared"), old);

    root(folder.path());
    let family = Family { domain: &domain, commands: Bonafide, name: "x509" };
    family.replace();
    assert_ne!(upstream(&domain, "active"), old);
    let by_name = |verb: &str| domain.cli(&["upstreamauthority", verb, "-subjectKeyID", &old]);
    domain.cli(&["localauthority", "x509", "taint", "-authorityID", &family.stage("old")]).fails();
    by_name("revoke").fails();
    by_name("taint").succeeds();
    eventually("the workload's SVID to be replaced", SOON, || {
        let now = served(&domain);
        (!now.is_empty() && now != first).then_some(())
    });
    std::thread::sleep(Duration::from_secs(3));
    by_name("revoke").succeeds();
    let pem = fs::read_to_string(folder.path().join("cert.pem")).unwrap();
    assert_eq!(domain.cli(&["bundle", "show"]).succeeds().stdout, pem);
    domain.workload(&domain.id("after-the-revocation"), &[]);
}

#[test]
fn a_server_does_not_start_with_files_that_do_not_belong_together() {
    let folder = tempfile::tempdir().unwrap();
    root(folder.path());
    let certificate = fs::read_to_string(folder.path().join("cert.pem")).unwrap();
    root(folder.path());
    fs::write(folder.path().join("cert.pem"), certificate).unwrap();
    let plugin = format!(
        "UpstreamAuthority \"disk\" {{ plugin_data {{\n cert_file_path = \"{0}/cert.pem\"\n key_file_path = \
         \"{0}/key.pem\"\n }} }}",
        folder.path().display()
    );
    let mut domain = Domain::prepare(Options::default().server_plugin(&plugin));
    domain.server().spawn();
    assert_ne!(domain.server().process().wait(SOON), Some(0));
    let log = domain.server().log();
    assert!(log.contains("certificate and private key do not match"), "{log}");
}

fn rust_client_is_missing(test: &str) -> bool {
    Client::Rust.available().inspect_err(|missing| skip(test, missing)).is_err()
}

#[test]
fn a_taint_at_the_top_of_three_levels_reaches_the_workloads_at_the_bottom() {
    if rust_client_is_missing("a taint through three levels") {
        return;
    }
    let levels = levels::levels([Bonafide; 3], &Options::default());
    levels.keys_are_published();
    levels.root_is_replaced(Bonafide);
}

#[test]
fn three_levels_rotate_on_short_lives_and_no_request_fails() {
    if rust_client_is_missing("three levels on short lives") {
        return;
    }
    let options = Options::default()
        .server_line("ca_ttl = \"90s\"")
        .server_line("agent_ttl = \"15s\"")
        .server_line("default_x509_svid_ttl = \"15s\"")
        .server_line("default_jwt_svid_ttl = \"15s\"");
    let levels = levels::levels([Bonafide; 3], &options);
    levels.mutual_tls("100", 2);
    levels.keys_are_published();
}

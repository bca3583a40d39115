//! What a server does under more than it should be given: many writers at once, callers who go away, callers who do not
//! read, callers who ask too often. Nobody else pays for them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod deadlines;
mod measure;
mod peers;
mod rates;
mod slow;
mod writers;
mod writes;

#[allow(dead_code, reason = "the walk of all calls uses more of it")]
#[path = "../calls/wire.rs"]
mod wire;

/// An administrator whose trust domain is not known here: it cannot connect, and the log says so.
#[test]
fn an_administrator_whose_trust_domain_has_no_bundle_is_warned_of() {
    let options = harness::Options::default().server_line("admin_ids = [\"spiffe://foreign.test/admin\"]");
    let domain = harness::Domain::start_server(options);
    let log = domain.peek_server().log();
    let line = log.lines().find(|line| line.contains("No bundle of a trust domain that admin_ids names"));
    let line = line.unwrap_or_else(|| panic!("no warning in {log}"));
    assert!(line.contains("spiffe://foreign.test/admin") && line.contains("level=warning"), "{line}");

    let path = domain.folder().join("foreign.pem").display().to_string();
    std::fs::write(&path, domain.cli(&["bundle", "show"]).succeeds().stdout).unwrap();
    domain.cli(&["bundle", "set", "-id", "spiffe://foreign.test", "-path", &path]).succeeds();
    let log = domain.peek_server().log();
    assert!(log.contains("Administrators of this trust domain can connect now"), "{log}");
}

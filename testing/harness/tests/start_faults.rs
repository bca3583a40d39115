//! What stands in the way at the start: each ends in a message that names it, and an exit code.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use harness::{Domain, Nobody, Options, SmallDisk, skip};

const SOON: Duration = Duration::from_secs(20);

/// Starts a server that must end with an exit code, and says all these words.
fn refuses_to_start(domain: &mut Domain, words: &[&str]) {
    domain.server().spawn();
    let code = domain.server().process().wait(SOON);
    let log = domain.server().log();
    assert!(code.is_some_and(|code| code != 0), "it ended with {code:?}: {log}");
    for word in words {
        assert!(log.contains(word), "{word:?} is not said in: {log}");
    }
}

#[test]
fn a_taken_port_is_named_and_the_server_starts_once_it_is_free() {
    let mut domain = Domain::prepare(Options::default());
    let port = domain.server().port();
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    refuses_to_start(&mut domain, &[&format!("127.0.0.1:{port}"), "in use"]);
    drop(taken);
    domain.server().start();
}

#[test]
fn a_corrupt_key_file_is_named_and_not_replaced() {
    let mut domain = Domain::start_server(Options::default());
    let bundle = domain.cli(&["bundle", "show"]).succeeds().stdout;
    domain.server().stop();
    let path = domain.server().data().join("keys.json");
    let kept = fs::read(&path).unwrap();
    fs::write(&path, "{\"keys\": \"garbage\"").unwrap();
    refuses_to_start(&mut domain, &["keys.json"]);
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "{\"keys\": \"garbage\"",
        "what is corrupt may be evidence"
    );
    fs::write(&path, kept).unwrap();
    domain.server().start();
    assert_eq!(domain.cli(&["bundle", "show"]).succeeds().stdout, bundle);
}

#[test]
fn a_database_that_is_none_is_named() {
    let mut domain = Domain::prepare(Options::default());
    let path = domain.server().data().join("datastore.sqlite3");
    fs::write(&path, vec![7; 8192]).unwrap();
    refuses_to_start(&mut domain, &["datastore.sqlite3"]);
}

#[test]
fn a_read_only_database_is_told_apart_from_a_full_one() {
    let mut domain = Domain::prepare(Options::default());
    let disk = match SmallDisk::mount(&domain.server().data(), 16) {
        Ok(disk) => disk,
        Err(missing) => return skip("a read-only database", &missing),
    };
    domain.server().start();
    domain.server().stop();
    disk.make_read_only();
    refuses_to_start(&mut domain, &["read-only"]);
    disk.make_writable();
    domain.server().start();
}

#[test]
fn a_full_disk_refuses_writes_with_the_reason_and_recovers_by_itself() {
    let mut domain = Domain::prepare(Options::default());
    let disk = match SmallDisk::mount(&domain.server().data(), 16) {
        Ok(disk) => disk,
        Err(missing) => return skip("a full disk", &missing),
    };
    domain.server().start();
    domain.entry(&domain.id("before"), &[]);
    disk.fill();
    let mut acknowledged = 1;
    let refused = (0..500).find_map(|round| {
        let id = domain.id(&format!("while-full-{round}"));
        let create =
            ["entry", "create", "-parentID", &domain.id("node"), "-spiffeID", &id, "-selector", "unix:uid:1"];
        let ran = domain.cli(&create);
        acknowledged += u32::from(ran.ok());
        (!ran.ok()).then_some(ran)
    });
    let refused = refused.expect("a full disk takes no entry for ever");
    assert!(refused.stderr.contains("full") || refused.stdout.contains("full"), "{refused}");
    domain.cli(&["healthcheck"]).succeeds();

    disk.empty();
    domain.entry(&domain.id("after"), &[]);
    acknowledged += 1;
    domain.server().restart();
    let counted = domain.cli(&["entry", "count"]).succeeds().stdout;
    assert!(
        counted.starts_with(&format!("{acknowledged} ")),
        "{acknowledged} were acknowledged, now {counted}"
    );
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
    let mut domain = Domain::prepare(Options::default());
    domain.server().edit_config("data_dir", "data_dirr");
    refuses_to_start(&mut domain, &["data_dirr", "data_dir", "server.conf:"]);
    let config = domain.server().config().display().to_string();
    let validated = domain.server().cli_without_socket(&["validate", "-config", &config]).fails();
    assert!(validated.stderr.contains("data_dirr") || validated.stdout.contains("data_dirr"), "{validated}");
}

#[test]
fn a_second_server_on_the_same_data_or_socket_does_not_disturb_the_first() {
    let mut first = Domain::start_server(Options::default());
    let mut second = Domain::prepare(Options::default());
    let (ours, theirs) = (first.server().socket(), second.server().socket());
    second.server().edit_config(&theirs.display().to_string(), &ours.display().to_string());
    refuses_to_start(&mut second, &["api.sock"]);
    first.cli(&["healthcheck"]).succeeds();
}

#[test]
fn the_admin_socket_is_closed_to_other_users_and_the_workload_api_gives_them_nothing() {
    let domain = Domain::start(Options::default());
    domain.workload(&domain.id("client"), &[]);
    let nobody = match Nobody::in_folder(domain.folder()) {
        Ok(nobody) => nobody,
        Err(missing) => return skip("another user on our sockets", &missing),
    };
    let admin = domain.folder().join("server/private/api.sock").display().to_string();
    let refused = nobody.run(&["server", "entry", "show", "-socketPath", &admin]).fails();
    assert!(
        refused.stderr.contains(&admin) && refused.stderr.contains("may not open the socket"),
        "{refused}"
    );
    let public = domain.agent().socket().display().to_string();
    let refused = nobody.run(&["agent", "api", "fetch", "x509", "-socketPath", &public]).fails();
    assert!(refused.stderr.contains("no identity issued"), "{refused}");
}

#[test]
fn a_command_without_a_server_says_where_it_looked() {
    let mut domain = Domain::prepare(Options::default());
    let refused = domain.cli(&["entry", "show"]).fails();
    let socket = domain.server().socket().display().to_string();
    assert!(refused.stderr.contains(&socket), "{refused}");
}

#[test]
fn a_registry_of_another_trust_domain_is_refused() {
    let mut domain = Domain::start(Options::default());
    domain.workload(&domain.id("client"), &[]);
    domain.server().stop();
    domain.server().edit_config("trust_domain = \"example.org\"", "trust_domain = \"other.test\"");
    let said = "a registration entry with trust domain 'example.org' has been detected, which does not match the configured trust domain of 'other.test'";
    let warned = "An attested node with trust domain 'example.org' has been detected";
    refuses_to_start(&mut domain, &[said, warned]);
}

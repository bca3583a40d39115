//! Entries that come, change and go while a workload watches.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;
use std::time::{Duration, Instant};

use harness::{Domain, Options, Process, eventually};

const SOON: Duration = Duration::from_secs(10);

/// `api watch` on the agent's socket, its output in a file.
fn watch(domain: &Domain) -> Process {
    let mut command = Command::new(Process::bonafide());
    command.args(["agent", "api", "watch", "-socketPath"]).arg(domain.agent().socket());
    Process::spawn("watch", &mut command, &domain.folder().join("watch.log"))
}

#[test]
fn a_watching_workload_sees_an_entry_added_changed_and_deleted() {
    let domain = Domain::start(Options::default());
    let (first, second, renamed) = (domain.id("first"), domain.id("second"), domain.id("renamed"));
    domain.workload(&first, &[]);
    let mut watching = watch(&domain);
    watching.wait_for_log(&first, SOON);

    let entry = domain.entry(&second, &[]);
    watching.wait_for_log(&second, SOON);

    let (parent, selector) = (domain.id("node"), Domain::own_selector());
    let update = ["entry", "update", "-entryID", &entry, "-parentID", &parent, "-selector", &selector];
    domain.cli(&[&update[..], &["-spiffeID", &renamed]].concat()).succeeds();
    watching.wait_for_log(&renamed, SOON);

    let so_far = watching.log().len();
    domain.cli(&["entry", "delete", "-entryID", &entry]).succeeds();
    eventually("an update without the deleted entry", SOON, || {
        let log = watching.log();
        let news = log.get(so_far..)?;
        (news.contains(&first) && !news.contains(&renamed)).then_some(())
    });
    assert_eq!(watching.ended(), None, "the stream outlives all of it");
}

#[test]
fn a_new_entry_reaches_an_open_stream_without_a_poll() {
    let domain = Domain::start(Options::default());
    domain.workload(&domain.id("first"), &[]);
    let watching = watch(&domain);
    watching.wait_for_log(&domain.id("first"), SOON);
    let mut waits = Vec::new();
    for round in 0..10 {
        let id = domain.id(&format!("round-{round}"));
        let begun = Instant::now();
        domain.entry(&id, &[]);
        watching.wait_for_log(&id, SOON);
        waits.push(begun.elapsed());
    }
    waits.sort();
    assert!(waits[waits.len() / 2] < Duration::from_millis(1000), "command to stream took {waits:?}");
}

#[test]
fn a_workload_whose_last_entry_is_deleted_is_told_that_it_has_no_identity() {
    let domain = Domain::start(Options::default());
    let entry = domain.workload(&domain.id("only"), &[]);
    domain.cli(&["entry", "delete", "-entryID", &entry]).succeeds();
    eventually("the identity to be withdrawn", SOON, || {
        let fetched = domain.agent().cli(&["api", "fetch", "x509"]);
        (!fetched.ok() && fetched.stderr.contains("no identity issued")).then_some(())
    });
}

#[test]
fn a_federated_bundle_reaches_the_workload_whose_entry_names_it() {
    let domain = Domain::start(Options::default());
    let path = domain.folder().join("other.json");
    std::fs::write(&path, domain.cli(&["bundle", "show", "-format", "spiffe"]).succeeds().stdout).unwrap();
    let path = path.display().to_string();
    let set = ["bundle", "set", "-id", "spiffe://other.test", "-path", &path, "-format", "spiffe"];
    domain.cli(&set).succeeds();
    domain.workload(&domain.id("with-friends"), &["-federatesWith", "spiffe://other.test"]);
    let folder = domain.folder().join("written");
    std::fs::create_dir(&folder).unwrap();
    let write = ["api", "fetch", "x509", "-write", &folder.display().to_string()];
    domain.agent().cli(&write).succeeds();
    for file in ["svid.0.pem", "svid.0.key", "bundle.0.pem", "federated_bundle.0.0.pem"] {
        assert!(folder.join(file).exists(), "{file} is missing");
    }
}

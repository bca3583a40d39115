//! The first two minutes of a stranger: `bonafide up`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use harness::{Client, Process, Ran};
use rustix::process::Signal;

/// Two that start in the same instant may see the same port free.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

const SOON: Duration = Duration::from_secs(10);

fn bonafide(folder: &Path) -> Command {
    let mut command = Command::new(Process::bonafide());
    command.current_dir(folder);
    command
}

fn up(folder: &Path) -> Process {
    let process = Process::spawn("up", bonafide(folder).arg("up"), &folder.join("up.log"));
    process.wait_for_log("Ctrl-C stops all of it", SOON);
    process
}

/// The value of a variable, as the printed line would set it.
fn exported(log: &str, name: &str) -> String {
    let start = format!("export {name}=");
    log.lines().rev().find_map(|line| line.trim().strip_prefix(&start)).unwrap().to_owned()
}

fn fetch(folder: &Path, log: &str) -> String {
    let socket = exported(log, "SPIRE_AGENT_PUBLIC_SOCKET");
    let mut command = bonafide(folder);
    command.args(["agent", "api", "fetch", "x509"]).env("SPIRE_AGENT_PUBLIC_SOCKET", socket);
    Ran::run(&mut command).succeeds().stdout
}

#[test]
fn one_command_gives_this_user_an_identity_within_two_seconds() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let mut process = up(folder.path());
    let log = process.log();
    let fetched = fetch(folder.path(), &log);
    let taken = begun.elapsed();
    assert!(taken < Duration::from_secs(2), "the first SVID took {taken:?}");

    let line = log.lines().find(|line| line.contains("spiffe://")).unwrap();
    let id = line.split_whitespace().find(|word| word.starts_with("spiffe://")).unwrap();
    assert!(fetched.contains(id), "{id} is not in {fetched}");
    let endpoint = exported(&log, "SPIFFE_ENDPOINT_SOCKET");
    assert_eq!(Client::Rust.run(&endpoint, &["fetch", "friend"]).succeeds().json()["jwt"]["id"], id);

    process.signal(Signal::INT);
    assert_eq!(process.wait(SOON), Some(0));
}

#[test]
fn a_second_up_goes_on_where_the_first_stopped() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let mut first = up(folder.path());
    let server = exported(&first.log(), "SPIRE_SERVER_PRIVATE_SOCKET");
    let bundle = |folder: &Path| {
        let mut command = bonafide(folder);
        command.args(["server", "bundle", "show", "-socketPath", &server]);
        Ran::run(&mut command).succeeds().stdout
    };
    let before = bundle(folder.path());
    first.signal(Signal::INT);
    assert_eq!(first.wait(SOON), Some(0));
    std::fs::remove_file(folder.path().join("up.log")).unwrap();

    let second = up(folder.path());
    assert_eq!(bundle(folder.path()), before);
    assert!(fetch(folder.path(), &second.log()).contains("spiffe://"));
}

#[test]
fn the_demo_shows_two_programs_that_talk_and_a_rotation() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let mut process =
        Process::spawn("demo", bonafide(folder.path()).args(["up", "-demo"]), &folder.path().join("up.log"));
    process.wait_for_log("demo/greeter", SOON);
    process.wait_for_log("rotates: serial", Duration::from_secs(40));
    process.signal(Signal::INT);
    assert_eq!(process.wait(SOON), Some(0));
}

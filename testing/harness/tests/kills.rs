//! `kill -9` at any moment: what was acknowledged stays, and the next start needs no repair.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harness::{Domain, Options};

const KILLS: u64 = 200;
/// One in so many kills hits a server that is still starting.
const DURING_START: u64 = 4;
/// After so many kills every entry that was ever acknowledged is looked for.
const LOOK_EVERY: u64 = 40;

/// The same moments at each run: a failure can be looked at again.
struct Moments(u64);

impl Moments {
    fn next(&mut self, below_millis: u64) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_micros((self.0 >> 33) % (below_millis * 1000))
    }
}

#[test]
fn no_acknowledged_write_is_lost_in_two_hundred_kills() {
    let mut domain = Domain::prepare(Options::default());
    let mut moments = Moments(7);
    let mut acknowledged = BTreeSet::new();
    for kill in 0..KILLS {
        if kill % DURING_START == 0 {
            domain.server().spawn();
            std::thread::sleep(moments.next(60));
            domain.server().kill9();
        } else {
            domain.server().start();
            let until = moments.next(120);
            acknowledged.extend(write_until_killed(&mut domain, kill, until));
        }
        if kill % LOOK_EVERY == LOOK_EVERY - 1 {
            domain.server().start();
            nothing_is_lost(&domain, &acknowledged);
            domain.server().kill9();
        }
    }
    assert!(
        acknowledged.len() as u64 > KILLS / 2,
        "the kills left time for {} writes only",
        acknowledged.len()
    );
}

/// Writes as fast as the command can while another thread waits to kill. Returns what was acknowledged.
fn write_until_killed(domain: &mut Domain, kill: u64, until: Duration) -> Vec<String> {
    let dead = AtomicBool::new(false);
    let pid = rustix::process::Pid::from_raw(i32::try_from(domain.server().process().id()).unwrap()).unwrap();
    let written = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(until);
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            dead.store(true, Ordering::Release);
        });
        let mut written = Vec::new();
        for number in 0.. {
            if dead.load(Ordering::Acquire) {
                break;
            }
            let id = domain.id(&format!("kill-{kill}/{number}"));
            if create(domain, &id) {
                written.push(id);
            }
        }
        written
    });
    domain.server().kill9();
    written
}

fn create(domain: &Domain, id: &str) -> bool {
    let parent = domain.id("node");
    domain.cli(&["entry", "create", "-parentID", &parent, "-spiffeID", id, "-selector", "unix:uid:1"]).ok()
}

fn nothing_is_lost(domain: &Domain, acknowledged: &BTreeSet<String>) {
    let shown = domain.cli(&["entry", "show", "-output", "json"]).succeeds().json();
    let entries = shown["entries"].as_array().cloned().unwrap_or_default();
    let there: BTreeSet<String> = entries
        .iter()
        .map(|entry| domain.id(entry["spiffe_id"]["path"].as_str().unwrap().trim_start_matches('/')))
        .collect();
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
}

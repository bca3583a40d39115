//! The server stops dead after each step of whatever moves its authorities, and starts again: nothing signs that the
//! bundle does not have, what was signed stays believed, and the move is done, or as if never begun.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod countdown;
mod orders;
mod signed;

use std::collections::BTreeSet;
use std::time::Duration;

use countdown::Countdown;
use harness::{Domain, Missing, Options, eventually, skip};
use orders::{Orders, Upstream};
use signed::{Signed, published, sign};

const SOON: Duration = Duration::from_secs(60);

/// The steps of the first start, and of a rotation that time brings.
const STEPS: [&str; 12] = [
    "X509 CA: key made",
    "X509 CA: made",
    "X509 CA: published",
    "X509 CA: to be activated",
    "X509 CA: activated",
    "X509 CA: activation written down",
    "JWT key: key made",
    "JWT key: made",
    "JWT key: published",
    "JWT key: to be activated",
    "JWT key: activated",
    "JWT key: activation written down",
];

/// A program from elsewhere may be a release, which has no steps to stop at.
fn steps_are_missing(test: &str) -> bool {
    let elsewhere = std::env::var_os("BONAFIDE_BIN").is_some();
    if elsewhere {
        skip(test, &Missing::Peer("the program of BONAFIDE_BIN may be a release build".to_owned()));
    }
    elsewhere
}

/// What it signs now is believed.
fn signs_what_is_believed(domain: &Domain) {
    let (now, bundle) = (sign(domain), published(domain));
    assert_eq!(now.len(), 2, "it signs both kinds");
    assert!(now.iter().all(|one| one.believed(&bundle)), "{bundle:?}");
}

#[test]
fn a_first_start_may_stop_after_any_step() {
    if steps_are_missing("stops of the first start") {
        return;
    }
    let mut seen = BTreeSet::new();
    for steps in 0..STEPS.len() {
        let mut domain = Domain::prepare(Options::default());
        let countdown = Countdown::of(domain.server());
        countdown.stop_after(steps.try_into().unwrap());
        domain.server().spawn();
        seen.insert(countdown.wait(domain.server()));
        countdown.off();
        domain.server().start();
        signs_what_is_believed(&domain);
    }
    assert_eq!(seen, BTreeSet::from(STEPS.map(str::to_owned)));
}

#[test]
fn a_rotation_that_time_brings_may_stop_after_any_step() {
    if steps_are_missing("stops of a rotation") {
        return;
    }
    let stops: Vec<String> = std::thread::scope(|scope| {
        let each = (0..STEPS.len()).map(|steps| scope.spawn(move || a_rotation_stops(steps)));
        each.collect::<Vec<_>>().into_iter().map(|one| one.join().unwrap()).collect()
    });
    let seen: BTreeSet<String> = stops.into_iter().collect();
    assert_eq!(seen, BTreeSet::from(STEPS.map(str::to_owned)));
}

/// One server on a short life: it stops, starts again, and the rotation is completed.
fn a_rotation_stops(steps: usize) -> String {
    let options = Options::default()
        .server_line("ca_ttl = \"40s\"")
        .server_line("agent_ttl = \"5s\"")
        .server_line("default_x509_svid_ttl = \"5s\"")
        .server_line("default_jwt_svid_ttl = \"5s\"");
    let mut domain = Domain::prepare(options);
    let countdown = Countdown::of(domain.server());
    domain.server().start();
    let first = stage(&domain, "x509", "active");
    let mut signed: Vec<Signed> = sign(&domain);
    countdown.stop_after(steps.try_into().unwrap());
    eventually("the server to stop at a step", SOON, || {
        std::thread::sleep(Duration::from_secs(3));
        signed.extend(sign(&domain));
        domain.server().process().ended()
    });
    let stopped = countdown.stopped_at().unwrap();
    countdown.off();
    domain.server().start();
    let bundle = published(&domain);
    assert!(signed.iter().all(|one| one.believed(&bundle)), "after {stopped}: {bundle:?}");
    signs_what_is_believed(&domain);
    eventually("the rotation to be completed", SOON, || {
        (stage(&domain, "x509", "active") != first).then_some(())
    });
    signs_what_is_believed(&domain);
    stopped
}

/// The name of the authority in a stage; empty if there is none.
fn stage(domain: &Domain, family: &str, stage: &str) -> String {
    let shown = domain.cli(&["localauthority", family, "show", "-output", "json"]);
    if !shown.ok() {
        return String::new();
    }
    shown.json()[stage]["authority_id"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn every_order_of_an_operator_may_stop_after_any_step() {
    if steps_are_missing("stops of orders") {
        return;
    }
    let mut domain = Domain::prepare(Options::default());
    let countdown = Countdown::of(domain.server());
    domain.server().start();
    domain.add_agent();
    domain.workload(&domain.id("client"), &[]);
    let mut orders = Orders::new(domain, countdown, Upstream::None);
    for family in ["x509", "jwt"] {
        orders.prepare(family, &["key made", "made", "published"]);
        orders.activate(family, &["to be activated", "activated", "activation written down"]);
        orders.taint_and_revoke(family);
    }
    orders.workloads_are_served();
}

#[test]
fn every_order_below_an_authority_on_disk_may_stop_after_any_step() {
    if steps_are_missing("stops of orders below an authority on disk") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::Disk(folder.path().to_owned());
    upstream.renew();
    let mut domain = Domain::prepare(Options::default().server_plugin(&upstream.plugin()));
    let countdown = Countdown::of(domain.server());
    domain.server().start();
    let mut orders = Orders::new(domain, countdown, upstream);
    orders.prepare("x509", &["key made", "signed above", "made", "published"]);
    orders.activate("x509", &["to be activated", "activated", "activation written down"]);
    orders.taint_and_revoke("x509");
    orders.prepare("jwt", &["key made", "known above", "made", "published"]);
}

#[test]
fn following_the_authority_of_a_server_above_may_stop_after_any_step() {
    if steps_are_missing("stops below another server") {
        return;
    }
    let root = Domain::start(Options::default());
    root.workload(&root.id("below"), &["-downstream"]);
    let plugin = format!(
        "UpstreamAuthority \"spire\" {{ plugin_data {{\n server_address = \"127.0.0.1\"\n server_port = \"{}\"\n \
         workload_api_socket = \"{}\"\n }} }}",
        root.port(),
        root.agent().socket().display(),
    );
    let mut domain = Domain::prepare(Options::default().server_plugin(&plugin));
    let countdown = Countdown::of(domain.server());
    domain.server().start();
    let mut orders = Orders::new(domain, countdown, Upstream::Server(Box::new(root)));
    orders.prepare("x509", &["key made", "signed above", "made", "published"]);
    orders.prepare("jwt", &["key made", "known above", "made", "published"]);
    orders.follow(&[
        "X509 CA: key made",
        "X509 CA: signed above",
        "X509 CA: made",
        "X509 CA: published",
        "X509 CA: to be activated",
        "X509 CA: activated",
        "X509 CA: activation written down",
        "bundle above: taken over",
    ]);
}

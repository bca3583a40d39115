//! The `telemetry` block.

use super::{server, server_mistakes, server_text};
use crate::{Daemon, M3, Prometheus, PrometheusTls, Scrapers, Shown, Telemetry};

fn read(block: &str) -> Telemetry {
    server(&server_text("", &format!("telemetry {{ {block} }}"))).unwrap().telemetry
}

#[track_caller]
fn refuses(block: &str, expected: &str) {
    let said = server_mistakes(&server_text("", &format!("telemetry {{ {block} }}")));
    assert_eq!(said.trim_end(), expected, "{block}");
}

#[test]
fn without_the_block_metrics_go_nowhere() {
    assert_eq!(server(&server_text("", "")).unwrap().telemetry, Telemetry::default());
}

#[test]
fn names_and_labels_are_chosen() {
    let read = read(
        "MetricPrefix = \"mine\" EnableTrustDomainLabel = true EnableHostnameLabel = false AllowedPrefixes = [\"a.b\"] \
         BlockedPrefixes = [\"a\", \"c\"] AllowedLabels = [\"status\"] BlockedLabels = [\"host\"]",
    );
    assert_eq!(read.metric_prefix.as_deref(), Some("mine"));
    assert!(read.trust_domain_label && read.no_hostname_label);
    assert_eq!((read.allowed_prefixes.len(), read.blocked_prefixes.len()), (1, 2));
    assert_eq!((read.allowed_labels.len(), read.blocked_labels.len()), (1, 1));
}

#[test]
fn prometheus_listens_on_localhost_unless_told_otherwise() {
    let plain = Prometheus { host: "localhost".to_owned(), port: 9988, tls: None };
    assert_eq!(read("Prometheus { port = 9988 }").prometheus, Some(plain.clone()));
    let elsewhere = Prometheus { host: "::1".to_owned(), ..plain };
    assert_eq!(read("Prometheus { host = \"[::1]\" port = 9988 }").prometheus, Some(elsewhere));
}

#[test]
fn prometheus_shows_files_or_the_own_svid_and_asks_for_one_kind_of_client() {
    let tls = |keys: &str| {
        read(&format!("Prometheus {{ port = 1 tls {{ {keys} }} }}")).prometheus.and_then(|it| it.tls).unwrap()
    };
    let files = Shown::Files { cert: "/c".into(), key: "/k".into() };
    let with = |shown: &Shown, clients| PrometheusTls { shown: shown.clone(), clients };
    assert_eq!(tls("cert_file = \"/c\" key_file = \"/k\""), with(&files, Scrapers::Anyone));
    assert_eq!(
        tls("cert_file = \"/c\" key_file = \"/k\" client_ca_file = \"/ca\""),
        with(&files, Scrapers::Certified("/ca".into()))
    );
    let ids = Scrapers::Ids(vec![spiffe::SpiffeId::parse("spiffe://example.org/prometheus").unwrap()]);
    assert_eq!(
        tls("use_spire_svid = true authorized_spiffe_ids = [\"spiffe://example.org/prometheus\"]"),
        with(&Shown::OwnSvid, ids)
    );
}

#[test]
fn mistakes_of_the_prometheus_listener_are_placed() {
    refuses(
        "Prometheus { }",
        "s.conf:10:24: port must be configured: the port that Prometheus fetches metrics from",
    );
    refuses(
        "Prometheus { port = 70000 }",
        "s.conf:10:33: port \"70000\" cannot be used: a port is a number from 1 to 65535",
    );
    refuses(
        "Prometheus { port = 1 prot = 2 }",
        "s.conf:10:35: unknown key \"prot\" in telemetry.Prometheus; did you mean \"port\"?",
    );
    refuses(
        "Prometheus { port = 1 tls { } }",
        "s.conf:10:39: cert_file and key_file must be configured: they hold what the listener shows, unless \
         use_spire_svid is true",
    );
    refuses(
        "Prometheus { port = 1 tls { use_spire_svid = true cert_file = \"c\" } }",
        "s.conf:10:75: only one of use_spire_svid, cert_file and key_file may be set; remove the others",
    );
    refuses(
        "Prometheus { port = 1 tls { cert_file = \"c\" key_file = \"k\" client_ca_file = \"a\" \
         authorized_spiffe_ids = [\"spiffe://a/b\"] } }",
        "s.conf:10:89: only one of client_ca_file, authorized_spiffe_ids may be set; remove the others",
    );
}

#[test]
fn daemons_stand_in_lists_or_in_blocks_of_their_own() {
    let read = read(
        "Statsd = [{ address = \"localhost:8125\" }, { address = \"collectd.example.org:8125\" }] \
         DogStatsd { address = \"unix:///run/dog.sock\" } DogStatsd { address = \"[::1]:8125\" } \
         M3 = [{ address = \"localhost:9000\" env = \"prod\" }] InMem {}",
    );
    let udp = |address: &str| Daemon::Udp(address.to_owned());
    assert_eq!(read.statsd, [udp("localhost:8125"), udp("collectd.example.org:8125")]);
    assert_eq!(read.dog_statsd, [Daemon::Unix("/run/dog.sock".into()), udp("[::1]:8125")]);
    assert_eq!(read.m3, [M3 { address: "localhost:9000".to_owned(), env: "prod".to_owned() }]);
    assert!(read.in_memory);
}

#[test]
fn mistakes_of_daemons_are_placed() {
    refuses(
        "Statsd = [{}]",
        "s.conf:10:23: address must be configured: where metrics are sent to, as in \"localhost:8125\"",
    );
    refuses(
        "DogStatsd = [{ address = \"localhost\" }]",
        "s.conf:10:38: address \"localhost\" cannot be used: write a host and a port, as in \"localhost:8125\"",
    );
    refuses(
        "M3 = [{ address = \"a:1\" }]",
        "s.conf:10:19: env must be configured: M3 tags each metric with it",
    );
    refuses(
        "Statsd = [\"localhost:8125\"]",
        "s.conf:10:23: Statsd must be a list of blocks, as in [{ … }], not a string",
    );
    refuses(
        "InMem { DebugLogLevel = \"x\" }",
        "s.conf:10:21: unknown key \"DebugLogLevel\" in telemetry.InMem; remove it",
    );
}

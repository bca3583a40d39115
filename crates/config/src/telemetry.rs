//! The `telemetry` block.

mod otlp;

use std::path::PathBuf;

use spiffe::SpiffeId;

use super::block::{Block, Unknown};
use super::check;
use super::given::Given;
use super::problem::Problem;

pub use otlp::{Collectors, Otlp, OtlpTls, Share};

/// Where metrics and spans go, and how they are named. By default nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telemetry {
    /// The listener that Prometheus fetches from.
    pub prometheus: Option<Prometheus>,
    /// StatsD daemons.
    pub statsd: Vec<Daemon>,
    /// DogStatsD daemons.
    pub dog_statsd: Vec<Daemon>,
    /// M3 collectors.
    pub m3: Vec<M3>,
    /// The collector that speaks OpenTelemetry's protocol.
    pub otlp: Option<Otlp>,
    /// Whether the last hour is kept in memory and printed on SIGUSR1.
    pub in_memory: bool,
    /// The first part of names, if it is not to be the role's.
    pub metric_prefix: Option<String>,
    /// Whether each metric is labelled with the trust domain.
    pub trust_domain_label: bool,
    /// Whether each metric lacks the host's name.
    pub no_hostname_label: bool,
    /// Prefixes of names that are let through.
    pub allowed_prefixes: Vec<String>,
    /// Prefixes of names that are not.
    pub blocked_prefixes: Vec<String>,
    /// The only labels that are let through, if there are any.
    pub allowed_labels: Vec<String>,
    /// Labels that are not.
    pub blocked_labels: Vec<String>,
}

/// Where a daemon listens for datagrams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Daemon {
    /// `host:port`
    Udp(String),
    /// A Unix datagram socket.
    Unix(PathBuf),
}

/// An M3 collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct M3 {
    /// `host:port`
    pub address: String,
    /// The tag `env`.
    pub env: String,
}

/// The listener that Prometheus fetches from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prometheus {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// TLS, if it is used.
    pub tls: Option<PrometheusTls>,
}

/// TLS of the Prometheus listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrometheusTls {
    /// What it shows.
    pub shown: Shown,
    /// Who may fetch.
    pub clients: Scrapers,
}

/// What a listener shows of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A certificate and its key in PEM files.
    Files {
        /// The certificate, and intermediates after it.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// The role's own X.509-SVID.
    OwnSvid,
}

/// Who may fetch metrics over TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scrapers {
    /// Everyone who can connect.
    Anyone,
    /// Who has a certificate of the authorities in this PEM file.
    Certified(PathBuf),
    /// Who has an X.509-SVID with one of these IDs.
    Ids(Vec<SpiffeId>),
}

/// Reads the block, if there is one.
pub(crate) fn telemetry(top: &Block<'_>) -> Telemetry {
    let Some(block) = top.block("telemetry") else {
        return Telemetry::default();
    };
    let list = |key| block.texts(key).into_iter().map(|given| given.value).collect();
    let settings = Telemetry {
        prometheus: block.block("Prometheus").and_then(prometheus),
        statsd: block.blocks("Statsd").into_iter().filter_map(statsd).collect(),
        dog_statsd: block.blocks("DogStatsd").into_iter().filter_map(dog_statsd).collect(),
        m3: block.blocks("M3").into_iter().filter_map(m3).collect(),
        otlp: block.block("OTLP").and_then(otlp::otlp),
        in_memory: block.block("InMem").is_some_and(|empty| {
            empty.finish(Unknown::Refuse);
            true
        }),
        metric_prefix: block.text("MetricPrefix").map(|given| given.value),
        trust_domain_label: block.switch("EnableTrustDomainLabel").is_some_and(|given| given.value),
        no_hostname_label: block.switch("EnableHostnameLabel").is_some_and(|given| !given.value),
        allowed_prefixes: list("AllowedPrefixes"),
        blocked_prefixes: list("BlockedPrefixes"),
        allowed_labels: list("AllowedLabels"),
        blocked_labels: list("BlockedLabels"),
    };
    block.finish(Unknown::Warn);
    settings
}

fn statsd(block: Block<'_>) -> Option<Daemon> {
    let daemon = udp(&block).map(Daemon::Udp);
    block.finish(Unknown::Refuse);
    daemon
}

/// As Datadog's clients, also by a Unix socket.
fn dog_statsd(block: Block<'_>) -> Option<Daemon> {
    let socket =
        block.text("address").and_then(|given| given.value.strip_prefix("unix://").map(PathBuf::from));
    let daemon = socket.map(Daemon::Unix).or_else(|| udp(&block).map(Daemon::Udp));
    block.finish(Unknown::Refuse);
    daemon
}

fn m3(block: Block<'_>) -> Option<M3> {
    let (address, env) = (udp(&block), block.text("env"));
    if env.is_none() {
        block.required("env", "M3 tags each metric with it");
    }
    block.finish(Unknown::Refuse);
    Some(M3 { address: address?, env: env?.value })
}

/// An address as `host:port`.
fn udp(block: &Block<'_>) -> Option<String> {
    let Some(Given { value, place }) = block.text("address") else {
        block.required("address", "where metrics are sent to, as in \"localhost:8125\"");
        return None;
    };
    let (host, port) = value.rsplit_once(':').unwrap_or_default();
    if host.is_empty() || port.parse::<u16>().map_or(true, |port| port == 0) {
        let why = "write a host and a port, as in \"localhost:8125\"".to_owned();
        block.mistake(place, Problem::BadValue { key: "address".to_owned(), value, why });
        return None;
    }
    Some(value)
}

fn prometheus(block: Block<'_>) -> Option<Prometheus> {
    let host = block.text("host").map_or_else(|| "localhost".to_owned(), check::host);
    let port = match block.number("port") {
        Some(given) => check::port(&block, "port", given),
        None => {
            block.required("port", "the port that Prometheus fetches metrics from");
            None
        }
    };
    let tls = block.block("tls").map(tls);
    block.finish(Unknown::Refuse);
    match tls {
        Some(tls) => Some(Prometheus { host, port: port?, tls: Some(tls?) }),
        None => Some(Prometheus { host, port: port?, tls: None }),
    }
}

fn tls(block: Block<'_>) -> Option<PrometheusTls> {
    let (cert, key) = (block.text("cert_file"), block.text("key_file"));
    let own = block.switch("use_spire_svid").is_some_and(|given| given.value);
    let shown = match (own, cert, key) {
        (true, None, None) => Some(Shown::OwnSvid),
        (true, Some(given), _) | (true, None, Some(given)) => {
            block.mistake(given.place, Problem::OnlyOne(vec!["use_spire_svid", "cert_file and key_file"]));
            None
        }
        (false, Some(cert), Some(key)) => {
            Some(Shown::Files { cert: check::path(cert), key: check::path(key) })
        }
        (false, _, _) => {
            block.required(
                "cert_file and key_file",
                "they hold what the listener shows, unless use_spire_svid is true",
            );
            None
        }
    };
    let ids = check::ids(&block, "authorized_spiffe_ids");
    let clients = match (block.text("client_ca_file"), ids.is_empty()) {
        (Some(given), false) => {
            block.mistake(given.place, Problem::OnlyOne(vec!["client_ca_file", "authorized_spiffe_ids"]));
            None
        }
        (Some(given), true) => Some(Scrapers::Certified(check::path(given))),
        (None, false) => Some(Scrapers::Ids(ids)),
        (None, true) => Some(Scrapers::Anyone),
    };
    block.finish(Unknown::Refuse);
    Some(PrometheusTls { shown: shown?, clients: clients? })
}

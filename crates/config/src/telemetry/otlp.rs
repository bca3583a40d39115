//! The `OTLP` block, which SPIRE does not have and passes by.

use std::path::PathBuf;
use std::time::Duration;

use spiffe::SpiffeId;

use super::super::block::{Block, Unknown};
use super::super::check;
use super::super::given::Given;
use super::super::problem::Problem;

/// How often a collector is told of metrics.
const INTERVAL: Duration = Duration::from_secs(10);
/// The shortest time between two tellings.
const SHORTEST: Duration = Duration::from_millis(100);

/// A collector that speaks OpenTelemetry's protocol over gRPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otlp {
    /// `host:port`
    pub address: String,
    /// Whether it gets spans.
    pub traces: bool,
    /// Whether it gets metrics.
    pub metrics: bool,
    /// Which part of the traces that begin here are kept.
    pub sample: Share,
    /// How often it is told of metrics.
    pub interval: Duration,
    /// TLS, if it is used.
    pub tls: Option<OtlpTls>,
}

/// A part of a whole, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u32);

impl Share {
    /// The whole.
    pub const ALL: Self = Self(1_000_000);

    fn of(number: f64) -> Option<Self> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to 1")]
        (0.0..=1.0).contains(&number).then(|| Self((number * 1e6).round() as u32))
    }

    /// From 0 to 1.
    #[must_use]
    pub fn ratio(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

/// TLS to a collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpTls {
    /// How the collector is known.
    pub collectors: Collectors,
    /// Whether the role shows its own X.509-SVID.
    pub own_svid: bool,
}

/// How a collector is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Collectors {
    /// By its host's name in a certificate of the authorities in this PEM file.
    Certified(PathBuf),
    /// By an X.509-SVID with one of these IDs.
    Ids(Vec<SpiffeId>),
}

pub(super) fn otlp(block: Block<'_>) -> Option<Otlp> {
    let address = super::udp(&block);
    let on = |key| block.switch(key).is_none_or(|given| given.value);
    let (traces, metrics) = (on("traces"), on("metrics"));
    let sample = block.fraction("sample_ratio").map_or(Some(Share::ALL), |given| share(&block, given));
    let interval = block.duration("metrics_interval").map_or(Some(INTERVAL), |given| long(&block, given));
    let tls = block.block("tls").map(tls);
    block.finish(Unknown::Refuse);
    let tls = match tls {
        Some(tls) => Some(tls?),
        None => None,
    };
    Some(Otlp { address: address?, traces, metrics, sample: sample?, interval: interval?, tls })
}

fn share(block: &Block<'_>, Given { value, place }: Given<f64>) -> Option<Share> {
    let share = Share::of(value);
    if share.is_none() {
        let why = "write a number from 0, for no trace, to 1, for all traces".to_owned();
        let (key, value) = ("sample_ratio".to_owned(), value.to_string());
        block.mistake(place, Problem::BadValue { key, value, why });
    }
    share
}

fn long(block: &Block<'_>, Given { value, place }: Given<Duration>) -> Option<Duration> {
    if value >= SHORTEST {
        return Some(value);
    }
    let why = "it must be at least 100ms".to_owned();
    let (key, value) = ("metrics_interval".to_owned(), format!("{}ms", value.as_millis()));
    block.mistake(place, Problem::BadValue { key, value, why });
    None
}

fn tls(block: Block<'_>) -> Option<OtlpTls> {
    let own_svid = block.switch("use_spire_svid").is_some_and(|given| given.value);
    let ids = check::ids(&block, "authorized_spiffe_ids");
    let collectors = match (block.text("ca_file"), ids.is_empty()) {
        (Some(given), true) => Some(Collectors::Certified(check::path(given))),
        (None, false) => Some(Collectors::Ids(ids)),
        (Some(given), false) => {
            block.mistake(given.place, Problem::OnlyOne(vec!["ca_file", "authorized_spiffe_ids"]));
            None
        }
        (None, true) => {
            block.required(
                "ca_file or authorized_spiffe_ids",
                "the collector is known by a certificate of these authorities, or by its SPIFFE ID",
            );
            None
        }
    };
    block.finish(Unknown::Refuse);
    Some(OtlpTls { collectors: collectors?, own_svid })
}

//! Metrics for Prometheus to fetch.

mod serve;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use metrics::Recorder;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

pub use serve::{Acceptor, Listen, serve};

/// Samples count for quantiles for this long, in as many steps.
const WINDOW: (Duration, NonZeroU32) = (Duration::from_secs(10), NonZeroU32::MIN.saturating_add(5));
/// How often samples are put where they take no more room, whether anyone fetches them or not.
const UPKEEP: Duration = Duration::from_secs(5);
/// SPIRE 1.16's quantiles.
const QUANTILES: [f64; 3] = [0.5, 0.9, 0.99];

/// What Prometheus is told.
#[derive(Clone)]
pub struct Page(PrometheusHandle);

impl Page {
    /// In Prometheus' text format.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.render()
    }

    /// Keeps the memory of samples bounded until `stop`.
    pub async fn upkeep(self, stop: CancellationToken) {
        let mut tick = tokio::time::interval(UPKEEP);
        loop {
            tokio::select! {
                _ = tick.tick() => self.0.run_upkeep(),
                () = stop.cancelled() => return,
            }
        }
    }
}

/// A recorder, and what it says to Prometheus.
#[must_use]
pub fn recorder() -> (Arc<dyn Recorder + Send + Sync>, Page) {
    let builder = PrometheusBuilder::new().set_bucket_count(WINDOW.1);
    // Both fail only for empty settings, which these are not; without them its own would do.
    let builder = match builder.set_bucket_duration(WINDOW.0) {
        Ok(builder) => builder,
        Err(_) => PrometheusBuilder::new(),
    };
    let builder = match builder.set_quantiles(&QUANTILES) {
        Ok(builder) => builder,
        Err(_) => PrometheusBuilder::new(),
    };
    let recorder = builder.build_recorder();
    let page = Page(recorder.handle());
    (Arc::new(recorder), page)
}

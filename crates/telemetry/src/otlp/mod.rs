//! OpenTelemetry's protocol: spans and metrics for a collector, over gRPC.
//!
//! Who measures never waits. Spans go through a queue of [`QUEUE`] places to the task that sends them; what finds no
//! place is dropped and counted. Metrics are told as they stand, so that a collector that was away has lost none.

mod connect;
mod ids;
mod layer;
mod sample;
mod send;
mod series;
#[cfg(test)]
mod tests;
mod visit;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use kit::clock::Clock;
use kit::metrics::Counter;
use metrics::Recorder;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::registry::LookupSpan;

pub use connect::{Collector, Connector};
pub use sample::Ratio;

/// How many spans may wait to be sent.
pub const QUEUE: usize = 4096;

/// What all that a process sends is said to be of.
#[derive(Clone, Debug)]
pub struct Resource {
    /// `service.name`
    pub service: String,
    /// `service.version`
    pub version: String,
    /// `host.name`, if it is told.
    pub host: Option<String>,
    /// `spiffe.trust_domain`
    pub trust_domain: String,
}

/// Counts what becomes of spans.
#[derive(Clone, Copy)]
pub struct Tally {
    /// Those that a collector took.
    pub sent: &'static Counter,
    /// Those that were dropped.
    pub dropped: &'static Counter,
}

/// Spans that wait to be sent.
pub struct Waiting {
    spans: mpsc::Receiver<Span>,
    tally: Tally,
}

/// A layer that makes spans of what [`kit::traced!`] marks, and where they then wait. `ratio` of the traces that begin
/// here are kept; those that began elsewhere are kept if that was decided there.
pub fn spans<S>(ratio: Ratio, clock: Clock, tally: Tally) -> (impl Layer<S> + Send + Sync + use<S>, Waiting)
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    let (queue, spans) = mpsc::channel(QUEUE);
    kit::trace::collect();
    let ours = FilterFn::new(|metadata| metadata.target() == kit::trace::TARGET);
    (layer::Spans::new(ratio, clock, queue, tally).with_filter(ours), Waiting { spans, tally })
}

/// Sends spans until `stop`, and then once more what waits.
pub async fn send_spans(waiting: Waiting, collector: Collector, resource: Resource, stop: CancellationToken) {
    send::Sender::new(collector, resource).spans(waiting, stop).await;
}

/// A recorder, and the task that tells a collector how its metrics stand, every `interval` until `stop`, and then once
/// more.
pub fn recorder(
    collector: Collector,
    resource: Resource,
    interval: Duration,
    clock: Clock,
    stop: CancellationToken,
) -> (Arc<dyn Recorder + Send + Sync>, impl Future<Output = ()> + Send) {
    let series = Arc::new(series::Series::new(clock));
    let told = series.clone();
    (series, async move { send::Sender::new(collector, resource).metrics(told, interval, stop).await })
}

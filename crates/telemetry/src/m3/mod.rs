//! M3, as the library `tally` speaks it: sums of a second, in Thrift's compact form, by datagrams.

mod buckets;
mod series;
mod thrift;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use kit::clock::Clock;
use kit::metrics::TIMER;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use tokio_util::sync::CancellationToken;

use crate::datagrams::{Address, Once};
use series::{Series, Value};

/// How often it is told what happened (SPIRE 1.16).
const EVERY: Duration = Duration::from_secs(1);
/// The most bytes of one datagram (tally's default).
const DATAGRAM: usize = 32_768;
/// Failures are told once in so many.
const TELL: u32 = 300;

/// Where metrics go, and what they all carry.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where an M3 collector listens.
    pub address: Address,
    /// The tag `env`.
    pub env: String,
    /// The tag `service`: the role.
    pub service: String,
}

/// A recorder, and the task that sends what it records until `stop`. Its keys must come with their types.
pub fn recorder(
    settings: Settings,
    clock: Clock,
    stop: CancellationToken,
) -> (Arc<dyn Recorder + Send + Sync>, impl Future<Output = ()> + Send) {
    let m3 = M3 { series: Arc::default() };
    let task = send(settings, m3.series.clone(), clock, stop);
    (Arc::new(m3), task)
}

struct M3 {
    series: Arc<Series>,
}

/// The name without the prefix and the type, underscores between its parts (SPIRE 1.16).
fn name(key: &Key) -> String {
    key.name().splitn(3, '.').nth(2).unwrap_or(key.name()).replace('.', "_")
}

fn tags(key: &Key) -> Vec<(String, String)> {
    key.labels().map(|label| (label.key().to_owned(), label.value().to_owned())).collect()
}

impl Recorder for M3 {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.series.counter(name(key), tags(key)))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.series.gauge(name(key), tags(key)))
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        let buckets = match metadata.target() == TIMER {
            true => buckets::durations(),
            false => buckets::values(),
        };
        Histogram::from_arc(self.series.histogram(&name(key), &tags(key), buckets))
    }
}

async fn send(settings: Settings, series: Arc<Series>, clock: Clock, stop: CancellationToken) {
    let common =
        vec![("service".to_owned(), settings.service.clone()), ("env".to_owned(), settings.env.clone())];
    let mut socket = Once::new();
    let mut failures = 0;
    let mut tick = tokio::time::interval(EVERY);
    loop {
        let last = tokio::select! {
            _ = tick.tick() => false,
            () = stop.cancelled() => true,
        };
        for batch in batches(&series.take(), &common, clock.now()) {
            match socket.send(&settings.address, &batch).await {
                Ok(()) => failures = 0,
                Err(error) => {
                    if failures % TELL == 0 {
                        tracing::warn!(address = %settings.address, error = %error, "M3 does not take metrics; dropping them and trying again");
                    }
                    failures += 1;
                }
            }
        }
        if last {
            return;
        }
    }
}

/// What happened, as datagrams.
fn batches(
    happened: &[(Arc<series::One>, Value)],
    common: &[(String, String)],
    now: SystemTime,
) -> Vec<Vec<u8>> {
    let nanos = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
    let (mut batches, mut metrics, mut bytes) = (Vec::new(), Vec::new(), 0);
    let room = DATAGRAM - thrift::batch(&[], common).len() - 8;
    for (one, value) in happened {
        let metric = thrift::metric(&one.name, *value, nanos, &one.tags);
        if bytes + metric.len() > room && !metrics.is_empty() {
            batches.push(thrift::batch(&std::mem::take(&mut metrics), common));
            bytes = 0;
        }
        bytes += metric.len();
        metrics.push(metric);
    }
    if !metrics.is_empty() {
        batches.push(thrift::batch(&metrics, common));
    }
    batches
}

#[cfg(test)]
mod tests;

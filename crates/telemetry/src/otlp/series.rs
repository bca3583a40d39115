//! Metrics since the process began.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use kit::clock::Clock;
use kit::metrics::TIMER;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge as WireGauge, Histogram as WireHistogram, HistogramDataPoint, Metric,
    NumberDataPoint, Sum,
};

use super::wire::text;

/// Where the buckets of times, in milliseconds, and of other samples end: OpenTelemetry's own, and finer below one.
const BOUNDS: [f64; 18] = [
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0,
    5000.0, 10_000.0,
];

/// All series, in the order in which they came up.
pub(super) struct Series {
    clock: Clock,
    began: u64,
    all: Mutex<Vec<One>>,
    meanings: Mutex<HashMap<String, String>>,
}

struct One {
    name: String,
    attributes: Vec<KeyValue>,
    unit: &'static str,
    value: Value,
}

enum Value {
    Count(Arc<Count>),
    Level(Arc<Level>),
    Spread(Arc<Spread>),
}

#[derive(Default)]
struct Count(AtomicU64);

#[derive(Default)]
struct Level {
    bits: AtomicU64,
    /// Until it was set once there is nothing to tell.
    set: AtomicBool,
}

/// A histogram.
struct Spread {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    sum: Mutex<f64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn nanos(clock: &Clock) -> u64 {
    let since = clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

impl Series {
    pub(super) fn new(clock: Clock) -> Self {
        let began = nanos(&clock);
        Self { clock, began, all: Mutex::default(), meanings: Mutex::default() }
    }

    fn add(&self, key: &Key, unit: &'static str, value: Value) {
        let attributes = key.labels().map(|label| text(label.key(), label.value())).collect();
        lock(&self.all).push(One { name: key.name().to_owned(), attributes, unit, value });
    }

    fn mean(&self, key: &KeyName, meaning: SharedString) {
        lock(&self.meanings).insert(key.as_str().to_owned(), meaning.into_owned());
    }

    /// How all metrics stand now.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let now = nanos(&self.clock);
        let (mut metrics, mut places) = (Vec::<Metric>::new(), HashMap::<String, usize>::new());
        let meanings = lock(&self.meanings);
        for one in lock(&self.all).iter() {
            let Some(data) = one.value.point(self.began, now, &one.attributes) else { continue };
            let known = places.get(&one.name).and_then(|place| metrics.get_mut(*place));
            match known.and_then(|metric| metric.data.as_mut()) {
                Some(Data::Sum(sum)) => data.add_to(&mut sum.data_points),
                Some(Data::Gauge(gauge)) => data.add_to(&mut gauge.data_points),
                Some(Data::Histogram(histogram)) => histogram.data_points.extend(data.histogram()),
                _ => {
                    places.insert(one.name.clone(), metrics.len());
                    metrics.push(Metric {
                        name: one.name.clone(),
                        description: meanings.get(&one.name).cloned().unwrap_or_default(),
                        unit: one.unit.to_owned(),
                        data: Some(data.begin()),
                        ..Metric::default()
                    });
                }
            }
        }
        metrics
    }
}

/// One series on the wire.
enum Point {
    Count(NumberDataPoint),
    Level(NumberDataPoint),
    Spread(HistogramDataPoint),
}

impl Point {
    fn add_to(self, points: &mut Vec<NumberDataPoint>) {
        match self {
            Self::Count(point) | Self::Level(point) => points.push(point),
            // One name is one kind.
            Self::Spread(_) => {}
        }
    }

    fn histogram(self) -> Option<HistogramDataPoint> {
        match self {
            Self::Spread(point) => Some(point),
            Self::Count(_) | Self::Level(_) => None,
        }
    }

    fn begin(self) -> Data {
        let aggregation_temporality = AggregationTemporality::Cumulative.into();
        match self {
            Self::Count(point) => {
                Data::Sum(Sum { data_points: vec![point], aggregation_temporality, is_monotonic: true })
            }
            Self::Level(point) => Data::Gauge(WireGauge { data_points: vec![point] }),
            Self::Spread(point) => {
                Data::Histogram(WireHistogram { data_points: vec![point], aggregation_temporality })
            }
        }
    }
}

impl Value {
    fn point(&self, began: u64, now: u64, attributes: &[KeyValue]) -> Option<Point> {
        let number = |value| NumberDataPoint {
            attributes: attributes.to_vec(),
            start_time_unix_nano: began,
            time_unix_nano: now,
            value: Some(value),
            ..NumberDataPoint::default()
        };
        Some(match self {
            Self::Count(count) => {
                let count = count.0.load(Ordering::Relaxed);
                Point::Count(number(Number::AsInt(i64::try_from(count).unwrap_or(i64::MAX))))
            }
            Self::Level(level) => match level.set.load(Ordering::Acquire) {
                true => {
                    Point::Level(number(Number::AsDouble(f64::from_bits(level.bits.load(Ordering::Relaxed)))))
                }
                false => return None,
            },
            Self::Spread(spread) => {
                let sum = lock(&spread.sum);
                let bucket_counts: Vec<u64> =
                    spread.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
                Point::Spread(HistogramDataPoint {
                    attributes: attributes.to_vec(),
                    start_time_unix_nano: began,
                    time_unix_nano: now,
                    count: bucket_counts.iter().sum(),
                    sum: Some(*sum),
                    bucket_counts,
                    explicit_bounds: BOUNDS.to_vec(),
                    ..HistogramDataPoint::default()
                })
            }
        })
    }
}

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    /// Nothing here counts so.
    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Level {
    /// Nothing here moves gauges so.
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        self.bits.store(value.to_bits(), Ordering::Relaxed);
        self.set.store(true, Ordering::Release);
    }
}

impl HistogramFn for Spread {
    fn record(&self, value: f64) {
        let mut sum = lock(&self.sum);
        *sum += value;
        if let Some(bucket) = self.buckets.get(BOUNDS.partition_point(|bound| *bound < value)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Recorder for Series {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, meaning: SharedString) {
        self.mean(&key, meaning);
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, meaning: SharedString) {
        self.mean(&key, meaning);
    }

    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, meaning: SharedString) {
        self.mean(&key, meaning);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let count = Arc::new(Count::default());
        self.add(key, "", Value::Count(count.clone()));
        Counter::from_arc(count)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let level = Arc::new(Level::default());
        self.add(key, "", Value::Level(level.clone()));
        Gauge::from_arc(level)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        let spread =
            Arc::new(Spread { buckets: std::array::from_fn(|_| AtomicU64::new(0)), sum: Mutex::new(0.0) });
        let unit = if metadata.target() == TIMER { "ms" } else { "" };
        self.add(key, unit, Value::Spread(spread.clone()));
        Histogram::from_arc(spread)
    }
}

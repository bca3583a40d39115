//! What happened since it was last told.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{CounterFn, GaugeFn, HistogramFn};

use super::buckets::Bucket;

/// A value to tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    /// So many more.
    Count(i64),
    /// It stands so.
    Gauge(f64),
}

/// One series of values.
#[derive(Debug)]
pub(super) struct One {
    pub(super) name: String,
    pub(super) tags: Vec<(String, String)>,
    gauge: bool,
    /// The count, or the bits of the gauge.
    bits: AtomicU64,
    moved: AtomicBool,
}

/// All series.
#[derive(Default)]
pub(super) struct Series(Mutex<Vec<Arc<One>>>);

impl Series {
    fn all(&self) -> MutexGuard<'_, Vec<Arc<One>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, name: String, tags: Vec<(String, String)>, gauge: bool) -> Arc<One> {
        let one = Arc::new(One { name, tags, gauge, bits: AtomicU64::new(0), moved: AtomicBool::new(false) });
        self.all().push(one.clone());
        one
    }

    pub(super) fn counter(&self, name: String, tags: Vec<(String, String)>) -> Arc<One> {
        self.add(name, tags, false)
    }

    pub(super) fn gauge(&self, name: String, tags: Vec<(String, String)>) -> Arc<One> {
        self.add(name, tags, true)
    }

    /// A counter for each bucket.
    pub(super) fn histogram(
        &self,
        name: &str,
        tags: &[(String, String)],
        buckets: Vec<Bucket>,
    ) -> Arc<Spread> {
        let spread = buckets.into_iter().enumerate().map(|(index, bucket)| {
            let own =
                [("bucketid".to_owned(), format!("{index:04}")), ("bucket".to_owned(), bucket.name.clone())];
            let tags = tags.iter().cloned().chain(own).collect();
            (bucket.upper, self.counter(name.to_owned(), tags))
        });
        Arc::new(Spread(spread.collect()))
    }

    /// What happened since the last time.
    pub(super) fn take(&self) -> Vec<(Arc<One>, Value)> {
        let all = self.all().clone();
        all.into_iter().filter_map(|one| one.take().map(|value| (one, value))).collect()
    }
}

impl One {
    fn take(&self) -> Option<Value> {
        if !self.moved.swap(false, Ordering::AcqRel) {
            return None;
        }
        Some(match self.gauge {
            true => Value::Gauge(f64::from_bits(self.bits.load(Ordering::Acquire))),
            false => {
                let count = self.bits.swap(0, Ordering::AcqRel);
                Value::Count(i64::try_from(count).unwrap_or(i64::MAX))
            }
        })
    }
}

impl CounterFn for One {
    fn increment(&self, value: u64) {
        self.bits.fetch_add(value, Ordering::AcqRel);
        self.moved.store(true, Ordering::Release);
    }

    /// Nothing here counts so.
    fn absolute(&self, _: u64) {}
}

impl GaugeFn for One {
    /// Nothing here moves gauges so.
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        self.bits.store(value.to_bits(), Ordering::Release);
        self.moved.store(true, Ordering::Release);
    }
}

/// Counters of buckets, by where they end.
pub(super) struct Spread(Vec<(f64, Arc<One>)>);

impl HistogramFn for Spread {
    fn record(&self, value: f64) {
        let place = self.0.partition_point(|(upper, _)| *upper < value);
        if let Some((_, bucket)) = self.0.get(place) {
            CounterFn::increment(&**bucket, 1);
        }
    }
}

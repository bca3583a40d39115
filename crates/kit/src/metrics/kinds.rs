//! Counters, gauges and samples.

use metrics::Recorder;

use super::describe::{Described, Kind};
use super::family::Family;
use super::set::{SAMPLES, Set};

/// A number that only grows.
pub struct Counter(Family<metrics::Counter>);

impl Counter {
    /// Declares it; see [`metrics!`](crate::metrics!).
    #[must_use]
    pub const fn new(
        set: &'static Set,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self(Family::new(set, name, labels, help))
    }

    /// Adds `count`, for the labels' `values` in the order they are declared.
    pub fn add(&self, count: usize, values: &[&str]) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let make = |to: &dyn Recorder, values: &[&str]| to.register_counter(&self.0.key(values), &SAMPLES);
        self.0.with(values, make, |counter| counter.increment(count));
    }
}

/// A number that is replaced.
pub struct Gauge(Family<metrics::Gauge>);

impl Gauge {
    /// Declares it; see [`metrics!`](crate::metrics!).
    #[must_use]
    pub const fn new(
        set: &'static Set,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self(Family::new(set, name, labels, help))
    }

    /// Replaces the value, for the labels' `values` in the order they are declared.
    pub fn set(&self, value: f64, values: &[&str]) {
        let make = |to: &dyn Recorder, values: &[&str]| to.register_gauge(&self.0.key(values), &SAMPLES);
        self.0.with(values, make, |gauge| gauge.set(value));
    }

    /// As [`set`](Self::set), for a count.
    pub fn count(&self, value: usize, values: &[&str]) {
        #[allow(
            clippy::cast_precision_loss,
            reason = "a gauge is a float; 2^53 of something is more than there is"
        )]
        self.set(value as f64, values);
    }
}

/// Numbers of which quantiles are kept.
pub struct Sample(Family<metrics::Histogram>);

impl Sample {
    /// Declares it; see [`metrics!`](crate::metrics!).
    #[must_use]
    pub const fn new(
        set: &'static Set,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self(Family::new(set, name, labels, help))
    }

    /// Adds one number, for the labels' `values` in the order they are declared.
    pub fn add(&self, value: f64, values: &[&str]) {
        let make = |to: &dyn Recorder, values: &[&str]| to.register_histogram(&self.0.key(values), &SAMPLES);
        self.0.with(values, make, |sample| sample.record(value));
    }

    /// As [`add`](Self::add), for a count.
    pub fn count(&self, value: usize, values: &[&str]) {
        #[allow(
            clippy::cast_precision_loss,
            reason = "a sample is a float; 2^53 of something is more than there is"
        )]
        self.add(value as f64, values);
    }
}

macro_rules! described {
    ($($kind:ident),*) => {$(
        impl Described for $kind {
            fn name(&self) -> &'static str {
                self.0.name
            }
            fn kind(&self) -> Kind {
                Kind::$kind
            }
            fn labels(&self) -> &'static [&'static str] {
                self.0.labels
            }
            fn help(&self) -> &'static str {
                self.0.help
            }
        }
    )*};
}

described!(Counter, Gauge, Sample);

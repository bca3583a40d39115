//! StatsD, where the values of labels are parts of the name, and DogStatsD, where labels are tags.

use std::sync::Arc;

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use tokio_util::sync::CancellationToken;

use crate::datagrams::{Address, Lines, sender};

/// How labels are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// As further parts of the name.
    Statsd,
    /// As tags after the value.
    DogStatsd,
}

/// A recorder, and the task that sends what it records until `stop`.
pub fn recorder(
    dialect: Dialect,
    address: Address,
    stop: CancellationToken,
) -> (Arc<dyn Recorder + Send + Sync>, impl Future<Output = ()> + Send) {
    let what = match dialect {
        Dialect::Statsd => "StatsD",
        Dialect::DogStatsd => "DogStatsD",
    };
    let (lines, task) = sender(what, address, stop);
    (Arc::new(Statsd { dialect, lines }), task)
}

struct Statsd {
    dialect: Dialect,
    lines: Lines,
}

/// What stands before and after the value of a metric.
struct Line {
    head: String,
    tail: String,
    dialect: Dialect,
    lines: Lines,
}

fn plain(text: &str) -> String {
    text.replace([':', ' '], "_")
}

impl Statsd {
    fn line(&self, key: &Key) -> Arc<Line> {
        let (mut head, mut tail) = (plain(key.name()), String::new());
        for label in key.labels() {
            match self.dialect {
                Dialect::Statsd => {
                    head.push('.');
                    head.push_str(&plain(label.value()));
                }
                Dialect::DogStatsd => {
                    tail.push_str(if tail.is_empty() { "|#" } else { "," });
                    tail.push_str(&plain(label.key()));
                    if !label.value().is_empty() {
                        tail.push(':');
                        tail.push_str(&plain(label.value()));
                    }
                }
            }
        }
        Arc::new(Line { head, tail, dialect: self.dialect, lines: self.lines.clone() })
    }
}

impl Line {
    fn say(&self, value: &str, kind: &str) {
        self.lines.say(format!("{}:{value}|{kind}{}\n", self.head, self.tail));
    }
}

impl CounterFn for Line {
    fn increment(&self, value: u64) {
        match self.dialect {
            Dialect::Statsd => self.say(&format!("{value}.000000"), "c"),
            Dialect::DogStatsd => self.say(&value.to_string(), "c"),
        }
    }

    /// Nothing here counts so.
    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Line {
    /// Nothing here moves gauges so.
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        match self.dialect {
            Dialect::Statsd => self.say(&format!("{value:.6}"), "g"),
            Dialect::DogStatsd => self.say(&value.to_string(), "g"),
        }
    }
}

impl HistogramFn for Line {
    fn record(&self, value: f64) {
        self.say(&format!("{value:.6}"), "ms");
    }
}

impl Recorder for Statsd {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.line(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.line(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.line(key))
    }
}

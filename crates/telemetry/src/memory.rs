//! Metrics of the last hour, second by second, to be printed when somebody asks.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use kit::clock::Clock;
use kit::log::moment;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

/// How much time is taken together, and how many of these spans are kept (SPIRE 1.16).
const SPAN: Duration = Duration::from_secs(1);
const KEPT: usize = 3600;

/// What was measured lately. Clones share it.
#[derive(Clone)]
pub struct Memory {
    clock: Clock,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    /// The names by their numbers.
    names: Vec<Arc<str>>,
    spans: VecDeque<Span>,
}

struct Span {
    begins: SystemTime,
    seen: HashMap<(Kind, usize), Seen>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    Gauge,
    Counter,
    Sample,
}

/// What was seen of one metric in one span.
#[derive(Clone, Copy)]
struct Seen {
    count: u64,
    sum: f64,
    squares: f64,
    min: f64,
    max: f64,
    last: SystemTime,
}

impl Memory {
    /// Nothing yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, kept: Arc::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All spans but the one that is not over, a line for each metric, as go-metrics prints them.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let kept = self.kept();
        let over = kept.spans.len().saturating_sub(1);
        let mut lines = Vec::new();
        for span in kept.spans.iter().take(over) {
            let mut seen: Vec<_> = span.seen.iter().collect();
            seen.sort_by_key(|(key, _)| **key);
            for ((kind, name), seen) in seen {
                let name = kept.names.get(*name).map_or("", |name| &**name);
                lines.push(seen.line(span.begins, *kind, name));
            }
        }
        lines
    }

    fn page(&self, kind: Kind, key: &Key) -> Arc<Page> {
        let mut name = key.name().to_owned();
        for label in key.labels() {
            name.push('.');
            name.push_str(&label.value().replace([' ', ':'], "_"));
        }
        let mut kept = self.kept();
        kept.names.push(name.into());
        Arc::new(Page { memory: self.clone(), kind, name: kept.names.len() - 1 })
    }
}

impl Kept {
    fn note(&mut self, now: SystemTime, kind: Kind, name: usize, value: f64) {
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let begins =
            SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs() / SPAN.as_secs() * SPAN.as_secs());
        if self.spans.back().is_none_or(|span| span.begins != begins) {
            self.spans.push_back(Span { begins, seen: HashMap::new() });
            while self.spans.len() > KEPT {
                self.spans.pop_front();
            }
        }
        let Some(span) = self.spans.back_mut() else { return };
        let first = Seen { count: 0, sum: 0.0, squares: 0.0, min: value, max: value, last: now };
        let seen = span.seen.entry((kind, name)).or_insert(first);
        seen.last = now;
        if kind == Kind::Gauge {
            seen.sum = value;
            return;
        }
        seen.count += 1;
        seen.sum += value;
        seen.squares += value * value;
        seen.min = seen.min.min(value);
        seen.max = seen.max.max(value);
    }
}

impl Seen {
    fn line(&self, begins: SystemTime, kind: Kind, name: &str) -> String {
        let letter = match kind {
            Kind::Gauge => 'G',
            Kind::Counter => 'C',
            Kind::Sample => 'S',
        };
        let mut line = format!("[{}][{letter}] '{name}': ", moment(begins));
        #[allow(clippy::cast_precision_loss, reason = "what happens in a second is fewer than 2^53")]
        let count = self.count as f64;
        let spread = match count * (count - 1.0) {
            none if none <= 0.0 => 0.0,
            some => ((count * self.squares - self.sum * self.sum).max(0.0) / some).sqrt(),
        };
        let _ = match kind {
            Kind::Gauge => write!(line, "{:.3}", self.sum),
            _ if spread == 0.0 => write!(line, "Count: {} Sum: {:.3}", self.count, self.sum),
            _ => write!(
                line,
                "Count: {} Min: {:.3} Mean: {:.3} Max: {:.3} Stddev: {spread:.3} Sum: {:.3}",
                self.count,
                self.min,
                self.sum / count,
                self.max,
                self.sum
            ),
        };
        if kind != Kind::Gauge {
            let _ = write!(line, " LastUpdated: {}", moment(self.last));
        }
        line
    }
}

struct Page {
    memory: Memory,
    kind: Kind,
    name: usize,
}

impl Page {
    fn note(&self, value: f64) {
        let now = self.memory.clock.now();
        self.memory.kept().note(now, self.kind, self.name, value);
    }
}

impl CounterFn for Page {
    fn increment(&self, value: u64) {
        #[allow(clippy::cast_precision_loss, reason = "what is counted at once is fewer than 2^53")]
        self.note(value as f64);
    }

    /// Nothing here counts so.
    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Page {
    /// Nothing here moves gauges so.
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        self.note(value);
    }
}

impl HistogramFn for Page {
    fn record(&self, value: f64) {
        self.note(value);
    }
}

impl Recorder for Memory {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.page(Kind::Counter, key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.page(Kind::Gauge, key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.page(Kind::Sample, key))
    }
}

#[cfg(test)]
mod tests {
    use metrics::{Label, Level};

    use super::*;

    static ANY: Metadata<'static> = Metadata::new("sample", Level::INFO, None);

    #[test]
    fn what_was_measured_is_printed_as_go_metrics_does_once_its_second_is_over() {
        let (clock, hand) = Clock::by_hand(SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_250));
        let memory = Memory::new(clock);
        let counter = memory.register_counter(&Key::from_parts("a.b", vec![Label::new("x", "y z")]), &ANY);
        let gauge = memory.register_gauge(&Key::from_name("g"), &ANY);
        let sample = memory.register_histogram(&Key::from_name("s"), &ANY);
        counter.increment(1);
        counter.increment(1);
        gauge.set(1.0);
        gauge.set(2.5);
        sample.record(1.0);
        sample.record(3.0);
        assert!(memory.lines().is_empty(), "the second is not over");
        hand.forward(SPAN);
        counter.increment(1);
        assert_eq!(
            memory.lines(),
            [
                "[2023-11-14 22:13:20 +0000 UTC][G] 'g': 2.500",
                "[2023-11-14 22:13:20 +0000 UTC][C] 'a.b.y_z': Count: 2 Sum: 2.000 LastUpdated: 2023-11-14 \
                 22:13:20.25 +0000 UTC",
                "[2023-11-14 22:13:20 +0000 UTC][S] 's': Count: 2 Min: 1.000 Mean: 2.000 Max: 3.000 Stddev: 1.414 \
                 Sum: 4.000 LastUpdated: 2023-11-14 22:13:20.25 +0000 UTC",
            ]
        );
    }

    #[test]
    fn no_more_than_an_hour_is_kept() {
        let (clock, hand) = Clock::by_hand(SystemTime::UNIX_EPOCH);
        let memory = Memory::new(clock);
        let gauge = memory.register_gauge(&Key::from_name("g"), &ANY);
        for _ in 0..KEPT + 100 {
            gauge.set(1.0);
            hand.forward(SPAN);
        }
        assert_eq!(memory.lines().len(), KEPT - 1);
    }
}

//! What external plugins measure: names that nobody has declared.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{LazyLock, Mutex, PoisonError};

use metrics::{Key, Label};

use super::set::{SAMPLES, Set, TIMES};

/// The most combinations of names and labels of all plugins together; others are dropped.
const MOST: usize = 2048;

/// Those that were seen.
static SEEN: LazyLock<(RandomState, Mutex<HashSet<u64>>)> = LazyLock::new(Default::default);

/// A measurement without a declaration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loose {
    /// A value that replaces the last one.
    Gauge(f64),
    /// An addition to a count.
    Counter(u64),
    /// One of many numbers.
    Sample(f64),
    /// One of many times, in milliseconds.
    Time(f64),
}

impl Set {
    /// Records something that is in no table. How many different things there can be is bounded: `false` for one too
    /// many.
    pub fn emit(&self, name: &str, labels: &[(String, String)], value: Loose) -> bool {
        let Some(recorder) = self.recorder() else { return true };
        if !is_admitted(name, labels) {
            return false;
        }
        let labels: Vec<Label> =
            labels.iter().map(|(name, value)| Label::new(name.clone(), value.clone())).collect();
        let key = Key::from_parts(name.to_owned(), labels);
        match value {
            Loose::Gauge(value) => recorder.register_gauge(&key, &SAMPLES).set(value),
            Loose::Counter(count) => recorder.register_counter(&key, &SAMPLES).increment(count),
            Loose::Sample(value) => recorder.register_histogram(&key, &SAMPLES).record(value),
            Loose::Time(value) => recorder.register_histogram(&key, &TIMES).record(value),
        }
        true
    }
}

fn is_admitted(name: &str, labels: &[(String, String)]) -> bool {
    let (hasher, seen) = &*SEEN;
    let place = hasher.hash_one((name, labels));
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.contains(&place) || (seen.len() < MOST && seen.insert(place))
}

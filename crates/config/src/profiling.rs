//! The `profiling_*` keys, which server and agent share.

use std::time::Duration;

use super::block::{Block, nearest};
use super::check;
use super::given::Given;
use super::problem::{Notice, Problem};

/// The names that SPIRE 1.16 knows.
const NAMES: [&str; 7] = ["goroutine", "threadcreate", "heap", "block", "mutex", "trace", "cpu"];

/// Profiles of the running process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profiling {
    /// The port on loopback that serves them.
    pub port: Option<u16>,
    /// How often they are written to files.
    pub every: Option<Duration>,
    /// Which ones, by the names that SPIRE 1.16 knows.
    pub names: Vec<String>,
}

/// Reads the keys; `None` while profiling is off.
pub(crate) fn profiling(block: &Block<'_>) -> Option<Profiling> {
    let enabled = block.switch("profiling_enabled").is_some_and(|given| given.value);
    let port = block.number("profiling_port").filter(|given| given.value != 0);
    let port = port.and_then(|given| check::port(block, "profiling_port", given));
    let every = block.number("profiling_freq").and_then(|given| seconds(block, given));
    let names = block.texts("profiling_names").into_iter().filter_map(|given| name(block, given)).collect();
    if !enabled {
        for key in ["profiling_port", "profiling_freq", "profiling_names"] {
            block.no_effect(key, "profiling is off");
        }
        return None;
    }
    Some(Profiling { port, every, names })
}

fn seconds(block: &Block<'_>, Given { value, place }: Given<i64>) -> Option<Duration> {
    match u64::try_from(value) {
        Ok(0) => None,
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let why = "it is a number of seconds and may not be negative".to_owned();
            let (key, value) = ("profiling_freq".to_owned(), value.to_string());
            block.mistake(place, Problem::BadValue { key, value, why });
            None
        }
    }
}

/// As in SPIRE, a name that is none is passed over; but it is told.
fn name(block: &Block<'_>, Given { value, place }: Given<String>) -> Option<String> {
    if NAMES.contains(&value.as_str()) {
        return Some(value);
    }
    let resembled = nearest(&value, NAMES.into_iter());
    let section = "profiling_names".to_owned();
    block.warn(place, Notice::UnknownIgnored { key: value, section, nearest: resembled });
    None
}

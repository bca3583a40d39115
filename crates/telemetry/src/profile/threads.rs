//! The threads that there are, by name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use super::Fault;
use super::wire::{Builder, Frame};

/// How many threads have each name.
fn names() -> Result<BTreeMap<String, i64>, Fault> {
    let mut names = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task")? {
        // A thread may end while it is looked at.
        let Ok(name) = std::fs::read_to_string(task?.path().join("comm")) else { continue };
        *names.entry(name.trim_end().to_owned()).or_insert(0) += 1;
    }
    Ok(names)
}

/// For `go tool pprof`: who made a thread is not known, so its name stands in the place of the stack.
pub(super) fn profile(now: SystemTime) -> Result<Vec<u8>, Fault> {
    let mut builder = Builder::new(&[("threadcreate", "count")]);
    builder.period("threadcreate", "count", 1);
    builder.times(now, Duration::ZERO);
    for (name, count) in names()? {
        let frame = Frame { name: name.clone(), system_name: name, file: String::new(), line: 0 };
        builder.sample(&[vec![frame]], &[count], &[]);
    }
    Ok(builder.finish())
}

/// For people.
pub(super) fn text() -> Result<String, Fault> {
    let names = names()?;
    let mut text = format!("threadcreate profile: total {}\n", names.values().sum::<i64>());
    for (name, count) in names {
        let _ = writeln!(text, "{count} {name}");
    }
    Ok(text)
}

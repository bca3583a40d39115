//! Where processor time goes: the stacks of running threads, a hundred times in each second of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use pprof::{ProfilerGuard, ProfilerGuardBuilder, Report};

use super::Fault;
use super::wire::{Builder, Frame};

/// Samples in a second of processor time, as Go has it.
const FREQUENCY: i32 = 100;
/// Nanoseconds between them.
const PERIOD: i64 = 10_000_000;
/// Stacks within these are not followed: the libraries that unwind them may hold a lock there.
const NOT_WITHIN: [&str; 4] = ["libc", "libgcc", "pthread", "vdso"];

/// Whether somebody samples: one at a time.
static TAKEN: AtomicBool = AtomicBool::new(false);

struct Turn;

impl Turn {
    fn take() -> Result<Self, Fault> {
        match TAKEN.swap(true, Ordering::AcqRel) {
            true => Err(Fault::Busy),
            false => Ok(Self),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TAKEN.store(false, Ordering::Release);
    }
}

/// A profile that is being made. Dropping it ends the sampling.
pub(super) struct Cpu {
    guard: ProfilerGuard<'static>,
    began: SystemTime,
    // Given back after the guard has stopped.
    _turn: Turn,
}

impl Cpu {
    /// Begins to sample.
    pub(super) fn begin(now: SystemTime) -> Result<Self, Fault> {
        let turn = Turn::take()?;
        let guard = ProfilerGuardBuilder::default().frequency(FREQUENCY).blocklist(&NOT_WITHIN).build()?;
        Ok(Self { guard, began: now, _turn: turn })
    }

    /// What was sampled. Looking up the names of functions takes a while: not for a thread that serves.
    pub(super) fn finish(self, now: SystemTime) -> Result<Vec<u8>, Fault> {
        let report = self.guard.report().build()?;
        let mut builder = Builder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
        builder.period("cpu", "nanoseconds", PERIOD);
        builder.times(self.began, now.duration_since(self.began).unwrap_or_default());
        fill(&mut builder, &report);
        Ok(builder.finish())
    }
}

fn fill(builder: &mut Builder, report: &Report) {
    for (stack, count) in &report.data {
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        let frames: Vec<Vec<Frame>> = stack
            .frames
            .iter()
            .map(|inlined| {
                let frame = |symbol: &pprof::Symbol| Frame {
                    name: symbol.name(),
                    system_name: symbol.sys_name().into_owned(),
                    file: symbol.filename().into_owned(),
                    line: i64::from(symbol.lineno()),
                };
                inlined.iter().map(frame).collect()
            })
            .collect();
        let thread = stack.thread_name_or_id();
        builder.sample(&frames, &[count, count.saturating_mul(PERIOD)], &[("thread", &thread)]);
    }
}

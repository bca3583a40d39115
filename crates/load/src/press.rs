//! Callers that call again as soon as they have been answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::fault::Fault;
use crate::latency::Latencies;
use crate::process::Process;
use crate::report::{Figure, Measured, Unit};

/// How many call, and when they stop: after so many calls, or so much time, whichever comes first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) callers: usize,
    pub(crate) calls: u64,
    pub(crate) duration: Duration,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) calls: u64,
    pub(crate) elapsed: Duration,
    pub(crate) cpu: Option<Duration>,
    pub(crate) latencies: Latencies,
}

/// Calls as the plan says. `call` gets the number of the caller and that of the call. The first call that fails ends
/// the run: a rate of failures is no rate.
pub(crate) async fn press<C, F>(plan: Plan, watched: Option<Process>, call: C) -> Result<Outcome, Fault>
where
    C: Fn(usize, u64) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let (call, next) = (Arc::new(call), Arc::new(AtomicU64::new(0)));
    let before = watched.map(Process::cpu).transpose()?;
    let start = Instant::now();
    let end = start + plan.duration;
    let mut callers = JoinSet::new();
    for caller in 0..plan.callers.max(1) {
        let (call, next) = (call.clone(), next.clone());
        callers.spawn(async move {
            let mut times = Latencies::default();
            while Instant::now() < end {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= plan.calls {
                    break;
                }
                let begun = Instant::now();
                call(caller, number).await?;
                times.push(begun.elapsed());
            }
            Ok::<_, Fault>(times)
        });
    }
    let mut latencies = Latencies::default();
    while let Some(ended) = callers.join_next().await {
        latencies.append(ended??);
    }
    let elapsed = start.elapsed();
    let cpu = match (watched, before) {
        (Some(process), Some(before)) => Some(process.cpu()?.saturating_sub(before)),
        _ => None,
    };
    Ok(Outcome { calls: latencies.len() as u64, elapsed, cpu, latencies })
}

impl Outcome {
    /// As a row of a report, where each call is worth `units`.
    pub(crate) fn measured(&self, what: impl Into<String>, units: u64) -> Measured {
        let total = (self.calls * units) as f64;
        let mut figures = vec![Figure::new("rate", total / self.elapsed.as_secs_f64(), Unit::PerSecond)];
        if let Some(cpu) = self.cpu.filter(|cpu| !cpu.is_zero()) {
            figures.push(Figure::new("per CPU second", total / cpu.as_secs_f64(), Unit::Number));
            figures.push(Figure::new("CPU", cpu.as_secs_f64() / self.elapsed.as_secs_f64(), Unit::Cores));
        }
        figures.extend(quantiles(&self.latencies));
        Measured { what: what.into(), figures }
    }
}

/// The middle and the tail.
pub(crate) fn quantiles(latencies: &Latencies) -> Vec<Figure> {
    let figure = |name, part| latencies.quantile(part).map(|time| Figure::time(name, time));
    [figure("p50", 0.5), figure("p99", 0.99), figure("max", 1.0)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_run_ends_after_its_calls() {
        let plan = Plan { callers: 3, calls: 10, duration: Duration::from_secs(60) };
        let outcome = press(plan, None, |_, _| async { Ok(()) }).await.unwrap();
        assert_eq!((outcome.calls, outcome.latencies.len()), (10, 10));
    }

    #[tokio::test]
    async fn a_call_that_fails_ends_the_run() {
        let plan = Plan { callers: 1, calls: 10, duration: Duration::from_secs(60) };
        let outcome = press(plan, None, |_, number| async move {
            match number {
                4 => Err(Fault::Interrupted),
                _ => Ok(()),
            }
        });
        assert!(matches!(outcome.await, Err(Fault::Interrupted)));
    }
}

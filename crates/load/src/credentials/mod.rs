//! What the credentials crate costs beside the cryptography in it, on one thread.
//!
//! Each operation and its bare cryptography take turns, so that whatever else the machine does strikes both; what is
//! reported is the median of the turns.

mod jwt;
mod page;
mod wit;
mod x509;

use std::time::{Duration, Instant};

use crate::crypto::thread_cpu;
use crate::fault::Fault;
use crate::report::{Figure, Measured, Report, Unit};

pub(crate) use page::{section, write};

/// How long each takes its turn.
const TURN: Duration = Duration::from_millis(4);
/// Work between two looks at the clock.
const BETWEEN: u32 = 8;

/// The figure of an operation.
const EACH: &str = "each";
/// That of its cryptography alone.
const BARE: &str = "bare";
/// How much more the first is than the second.
const MORE: &str = "more";

type Work<'a> = Box<dyn Fn() + 'a>;

/// An operation and the cryptography in it, which may be none.
struct Pair<'a> {
    what: &'static str,
    ours: Work<'a>,
    bare: Option<Work<'a>>,
}

impl<'a> Pair<'a> {
    fn new(what: &'static str, ours: impl Fn() + 'a, bare: impl Fn() + 'a) -> Self {
        Self { what, ours: Box::new(ours), bare: Some(Box::new(bare)) }
    }

    fn alone(what: &'static str, ours: impl Fn() + 'a) -> Self {
        Self { what, ours: Box::new(ours), bare: None }
    }

    fn measure(&self, duration: Duration) -> Measured {
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        let start = Instant::now();
        while ours.is_empty() || start.elapsed() < duration {
            ours.push(turn(&self.ours));
            bare.extend(self.bare.as_ref().map(|bare| turn(bare)));
        }
        let each = median(ours).unwrap_or_default();
        let mut figures = vec![Figure::new(EACH, each, Unit::Micros)];
        if let Some(bare) = median(bare) {
            figures.push(Figure::new(BARE, bare, Unit::Micros));
            figures.push(Figure::new(MORE, 100.0 * (each / bare - 1.0), Unit::Percent));
        }
        Measured { what: self.what.to_owned(), figures }
    }
}

/// Processor time of one operation over a turn, in microseconds.
fn turn(work: &Work<'_>) -> f64 {
    let (start, cpu) = (Instant::now(), thread_cpu());
    let mut done = 0_u32;
    while done == 0 || start.elapsed() < TURN {
        (0..BETWEEN).for_each(|_| work());
        done += BETWEEN;
    }
    (thread_cpu() - cpu) * 1e6 / f64::from(done)
}

fn median(mut all: Vec<f64>) -> Option<f64> {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

/// Measures for about `duration` each.
pub(crate) fn measure(duration: Duration) -> Result<Report, Fault> {
    let (x509, jwt, wit) = (x509::World::new()?, jwt::World::new()?, wit::World::new()?);
    let pairs = x509.pairs().into_iter().chain(jwt.pairs()).chain(wit.pairs());
    let rows = pairs.map(|pair| pair.measure(duration));
    Ok(Report(rows.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_is_measured_beside_its_cryptography() {
        let report = measure(Duration::from_millis(1)).unwrap();
        assert_eq!(report.0.len(), 13);
        for row in &report.0 {
            assert!(row.figure(EACH).unwrap().value > 0.0, "{row:?}");
        }
        assert_eq!(report.0.iter().filter(|row| row.figure(BARE).is_some()).count(), 10);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 100.0]), Some(3.0));
        assert_eq!(median(vec![]), None);
    }
}

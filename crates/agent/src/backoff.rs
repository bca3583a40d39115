//! How long to wait before the next attempt.

use std::time::Duration;

use crate::jitter;

/// Waiting times that grow by half from attempt to attempt, up to a bound, each a tenth more or less.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, next: first }
    }

    /// The next wait.
    pub(crate) fn step(&mut self) -> Duration {
        let wait = self.next;
        self.next = wait.mul_f64(1.5).min(self.max);
        jitter::around(wait, 0.1)
    }

    /// After a success.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_bound_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(3));
        let waits: Vec<f64> = (0..6).map(|_| backoff.step().as_secs_f64()).collect();
        assert!(waits[0] < 1.2 && waits[5] > 2.6 && waits[5] < 3.4);
        backoff.reset();
        assert!(backoff.step().as_secs_f64() < 1.2);
    }
}

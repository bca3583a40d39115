//! When to renew.

use std::time::{Duration, SystemTime};

use crate::jitter;

/// Lifetimes at least this much longer than the availability target are renewed by the latter (SPIRE 1.16).
const ROOM: Duration = Duration::from_secs(12 * 3600);
/// Spread of renewals by availability target.
const SPREAD: Duration = Duration::from_secs(600);

/// When a document that is valid from `start` to `end` is to be renewed: at half its life, a tenth earlier or later, or
/// early enough to survive an outage of `target` where its life allows.
pub(crate) fn renewal(start: SystemTime, end: SystemTime, target: Option<Duration>) -> SystemTime {
    let life = end.duration_since(start).unwrap_or_default();
    match target {
        Some(target) if life.saturating_sub(target) > ROOM => end - target - SPREAD.mul_f64(jitter::fraction()),
        _ => start + jitter::around(life / 2, 0.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_falls_near_half_the_life() {
        let start = SystemTime::UNIX_EPOCH;
        let at = renewal(start, start + Duration::from_secs(200), None).duration_since(start).unwrap();
        assert!((90..=110).contains(&at.as_secs()));
    }

    #[test]
    fn an_availability_target_makes_renewal_early_enough() {
        let (start, day) = (SystemTime::UNIX_EPOCH, Duration::from_secs(86_400));
        let at = renewal(start, start + 7 * day, Some(3 * day)).duration_since(start).unwrap();
        assert!(at <= 4 * day && at >= 4 * day - SPREAD);
    }
}

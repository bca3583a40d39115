//! When to renew.

use std::time::{Duration, SystemTime};

use crate::jitter;

/// Lifetimes at least this much longer than the availability target are renewed by the latter (SPIRE 1.16).
const ROOM: Duration = Duration::from_secs(12 * 3600);
/// Spread of renewals by availability target.
const SPREAD: Duration = Duration::from_secs(600);

/// When a document that came at `got` and is valid from `start` to `end` is to be renewed: after half its life, a tenth
/// earlier or later, or early enough to survive an outage of `target` where its life allows. Issuers let `start` lie
/// somewhat back, and clocks differ: it is never later than half of what is left by our clock, nor of the whole.
pub(crate) fn renewal(
    got: SystemTime,
    start: SystemTime,
    end: SystemTime,
    target: Option<Duration>,
) -> SystemTime {
    let life = end.duration_since(start).unwrap_or_default();
    let left = end.duration_since(got).unwrap_or_default();
    match target {
        Some(target) if life.saturating_sub(target) > ROOM => {
            end - target - SPREAD.mul_f64(jitter::fraction())
        }
        _ => got + jitter::around(life.min(left) / 2, 0.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_falls_near_half_the_life() {
        let start = SystemTime::UNIX_EPOCH;
        let at = renewal(start, start, start + Duration::from_secs(200), None).duration_since(start).unwrap();
        assert!((90..=110).contains(&at.as_secs()));
    }

    #[test]
    fn a_short_life_that_began_before_it_came_is_not_renewed_at_once() {
        let (start, second) = (SystemTime::UNIX_EPOCH, Duration::from_secs(1));
        let got = start + 10 * second;
        let at = renewal(got, start, got + 6 * second, None).duration_since(got).unwrap();
        assert!(at > 2 * second && at < 4 * second);
    }

    #[test]
    fn a_clock_that_is_behind_does_not_delay_renewal() {
        let (got, hour) = (SystemTime::UNIX_EPOCH, Duration::from_secs(3600));
        let at = renewal(got, got + hour, got + 2 * hour, None).duration_since(got).unwrap();
        assert!(at < hour);
    }

    #[test]
    fn an_availability_target_makes_renewal_early_enough() {
        let (start, day) = (SystemTime::UNIX_EPOCH, Duration::from_secs(86_400));
        let at = renewal(start, start, start + 7 * day, Some(3 * day)).duration_since(start).unwrap();
        assert!(at <= 4 * day && at >= 4 * day - SPREAD);
    }
}

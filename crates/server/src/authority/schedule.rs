//! When an authority makes way for its successor (SPIRE 1.16): the successor is prepared when half of the life is left,
//! at most 30 days, and takes over when a sixth is left, at most 7 days.

use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// When the successor of an authority with this life is to be prepared.
pub(super) fn prepare_at(issued_at: SystemTime, not_after: SystemTime) -> SystemTime {
    before_end(issued_at, not_after, 2, 30 * DAY)
}

/// When the successor of an authority with this life is to take over.
pub(super) fn activate_at(issued_at: SystemTime, not_after: SystemTime) -> SystemTime {
    before_end(issued_at, not_after, 6, 7 * DAY)
}

fn before_end(issued_at: SystemTime, not_after: SystemTime, share: u32, at_most: Duration) -> SystemTime {
    let life = not_after.duration_since(issued_at).unwrap_or_default();
    not_after.checked_sub((life / share).min(at_most)).unwrap_or(not_after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn of(life: Duration) -> (Duration, Duration) {
        let start = UNIX_EPOCH + 1000 * DAY;
        let left = |at: SystemTime| (start + life).duration_since(at).unwrap();
        (left(prepare_at(start, start + life)), left(activate_at(start, start + life)))
    }

    #[test]
    fn a_day_long_authority_prepares_at_half_and_yields_at_a_sixth() {
        assert_eq!(of(DAY), (DAY / 2, DAY / 6));
    }

    #[test]
    fn a_year_long_authority_is_bound_by_days() {
        assert_eq!(of(365 * DAY), (30 * DAY, 7 * DAY));
    }

    #[test]
    fn an_authority_of_twenty_seconds_has_deadlines_of_its_own_scale() {
        let (prepare, activate) = of(Duration::from_secs(20));
        assert_eq!(prepare, Duration::from_secs(10));
        assert_eq!(activate.as_millis(), 3333);
    }
}

//! SVIDs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How much earlier than asked for an SVID may end without a remark: clocks and the way take their part.
const SLACK: Duration = Duration::from_secs(5);

/// Whether an SVID ends earlier than was asked for.
pub(crate) fn capped(end: i64, asked: Duration, now: SystemTime) -> bool {
    let end = UNIX_EPOCH + Duration::from_secs(u64::try_from(end).unwrap_or_default());
    end + SLACK < now + asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_seconds_are_no_cap() {
        let now = UNIX_EPOCH + Duration::from_secs(1000);
        let hour = Duration::from_secs(3600);
        assert!(!capped(4599, hour, now));
        assert!(!capped(2000, Duration::ZERO, now));
        assert!(capped(4000, hour, now));
    }
}

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment in whole seconds since 1970-01-01 UTC, as the wire and the database carry it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// The second in which `at` lies; moments before 1970 are negative, moments out of range are the nearest in range.
    pub fn of(at: SystemTime) -> Self {
        match at.duration_since(UNIX_EPOCH) {
            Ok(since) => Self(i64::try_from(since.as_secs()).unwrap_or(i64::MAX)),
            Err(before) => Self(i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |s| -s)),
        }
    }

    /// The moment as a `SystemTime`; one that the platform cannot express becomes 1970 or the year 9999.
    pub fn system_time(self) -> SystemTime {
        const YEAR_9999: u64 = 253_402_300_799;
        match u64::try_from(self.0) {
            Ok(secs) => UNIX_EPOCH + Duration::from_secs(secs.min(YEAR_9999)),
            Err(_) => {
                UNIX_EPOCH.checked_sub(Duration::from_secs(self.0.unsigned_abs())).unwrap_or(UNIX_EPOCH)
            }
        }
    }

    /// `Some` of a wire value in which 0 means "none".
    pub fn from_wire(seconds: i64) -> Option<Self> {
        (seconds != 0).then_some(Self(seconds))
    }
}

//! Times as field values.

use std::fmt;
use std::time::SystemTime;

use super::text::timestamp;

/// Prints a time as Go prints one in UTC: `2026-11-26 06:27:05.25 +0000 UTC`.
pub fn moment(time: SystemTime) -> impl fmt::Display + fmt::Debug {
    Moment(time)
}

struct Moment(SystemTime);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = timestamp(self.0, true).replace('T', " ");
        write!(f, "{} +0000 UTC", text.trim_end_matches('Z'))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

//! Moments as Go prints them, which is how they stand in SPIRE's log lines.

use std::time::SystemTime;

use time::OffsetDateTime;
use time::macros::format_description;

/// `2026-01-02 15:04:05 +0000 UTC`
pub(super) fn moment(at: SystemTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] +0000 UTC");
    OffsetDateTime::from(at).format(&format).unwrap_or_else(|_| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_moment_reads_as_in_go() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_500);
        assert_eq!(moment(at), "2023-11-14 22:13:20 +0000 UTC");
    }
}

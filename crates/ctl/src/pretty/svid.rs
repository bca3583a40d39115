//! SVIDs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How much earlier than asked for an SVID may end without a remark: clocks and the way take their part.
const SLACK: Duration = Duration::from_secs(5);

/// Whether an SVID ends earlier than was asked for.
pub(crate) fn capped(end: i64, asked: Duration, now: SystemTime) -> bool {
    let end = UNIX_EPOCH + Duration::from_secs(u64::try_from(end).unwrap_or_default());
    end + SLACK < now + asked
}

/// When a token expires, by its own word: we just got it from the server, and only tell people.
pub(crate) fn expiry(token: &str) -> Option<i64> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<serde_json::Value>(&claims).ok()?.get("exp")?.as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_token_is_read_from_it() {
        let claims = URL_SAFE_NO_PAD.encode(br#"{"exp": 1700000000}"#);
        assert_eq!(expiry(&format!("e30.{claims}.sig")), Some(1_700_000_000));
        assert_eq!(expiry("e30.e30.sig"), None);
        assert_eq!(expiry("nonsense"), None);
    }

    #[test]
    fn a_few_seconds_are_no_cap() {
        let now = UNIX_EPOCH + Duration::from_secs(1000);
        let hour = Duration::from_secs(3600);
        assert!(!capped(4599, hour, now));
        assert!(!capped(2000, Duration::ZERO, now));
        assert!(capped(4000, hour, now));
    }
}

//! When to look for a newer bundle.

use std::time::Duration;

use super::MAX_REFRESH_HINT;

/// How long to wait where the publisher does not say (Trust Domain and Bundle §6.1, Federation §4.1).
pub const DEFAULT_REFRESH: Duration = Duration::from_secs(300);
/// The shortest wait: no publisher makes its readers spin.
pub const MIN_REFRESH: Duration = Duration::from_secs(10);

/// How long after a fetch the next one begins, whether it succeeded or not: a failure is not a reason to hurry, and what is
/// stored stays in use meanwhile (Federation §4.1, §6.2).
///
/// `hint` is the [`Bundle::refresh_hint`](super::Bundle::refresh_hint) of what is stored. It is followed between
/// [`MIN_REFRESH`] and [`MAX_REFRESH_HINT`].
///
/// ```
/// use std::time::Duration;
/// use spiffe::bundle::refresh_after;
///
/// assert_eq!(refresh_after(None), Duration::from_secs(300));
/// assert_eq!(refresh_after(Some(Duration::from_secs(60))), Duration::from_secs(60));
/// assert_eq!(refresh_after(Some(Duration::ZERO)), Duration::from_secs(10));
/// ```
pub fn refresh_after(hint: Option<Duration>) -> Duration {
    hint.unwrap_or(DEFAULT_REFRESH).clamp(MIN_REFRESH, MAX_REFRESH_HINT)
}

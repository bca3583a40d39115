use std::time::{Duration, SystemTime};

use super::{Wit, WitError};

/// How long a WIT-SVID may live to be accepted, from `nbf` to `exp` (WIT-SVID §3.5). Of one without `nbf`, what is left of
/// its life is measured: it lives for at least as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifespan {
    /// As long as its issuer says.
    AsIssued,
    /// No longer than this.
    AtMost(Duration),
}

impl Lifespan {
    pub(super) fn check(self, wit: &Wit, now: SystemTime) -> Result<(), WitError> {
        let Self::AtMost(longest) = self else { return Ok(()) };
        let life = wit.expires_at().duration_since(wit.not_before().unwrap_or(now)).unwrap_or_default();
        match life <= longest {
            true => Ok(()),
            false => Err(WitError::Lifespan(longest.as_secs())),
        }
    }
}

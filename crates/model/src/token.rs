use std::fmt;

use zeroize::Zeroizing;

use crate::UnixTime;

/// A join token: a secret that lets one node attest once.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    /// The secret itself.
    pub value: Zeroizing<String>,
    /// When it stops being accepted.
    pub expires_at: UnixTime,
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

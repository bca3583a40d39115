use std::time::SystemTime;

use super::protocol::sealed::{Bound, Exchange};
use crate::SpiffeId;
use crate::wit::VerifiedWit;

/// A WIT-SVID with a proof that whoever sent the message has its key. Nothing but the verification of a proof builds one.
#[derive(Debug, Clone)]
pub struct ProvenWit {
    wit: VerifiedWit,
    bound: Bound,
}

impl ProvenWit {
    pub(super) fn new(wit: VerifiedWit, bound: Bound) -> Self {
        Self { wit, bound }
    }

    /// Who sent the message.
    pub fn id(&self) -> &SpiffeId {
        self.wit.wit().subject()
    }

    /// The token and what it was verified against.
    pub fn verified(&self) -> &VerifiedWit {
        &self.wit
    }

    /// Whether the sender vouches for what stands in a header field. A token in a field that is not bound must not be used
    /// to decide what the sender may do (wpt §2).
    pub fn binds(&self, field: &str) -> bool {
        self.bound.fields.iter().any(|bound| bound.eq_ignore_ascii_case(field))
    }

    /// When the proof stops holding.
    pub fn proof_expires_at(&self) -> SystemTime {
        self.bound.until
    }

    pub(super) fn exchange(&self) -> Option<&Exchange> {
        self.bound.exchange.as_ref()
    }
}

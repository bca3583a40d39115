//! Which of two bundles of one trust domain is the newer (Federation §4.2).

use super::Bundle;

/// After how many answers in a row that all are behind a publisher is believed to have begun anew.
pub const RESET_AFTER: u32 = 3;

/// What becomes of a bundle that was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It takes the place of the stored one.
    Take,
    /// It says what is stored.
    Unchanged,
    /// Its sequence number is smaller: a copy that is late. The stored one stays.
    Behind,
    /// It is of another trust domain, and bundles of different ones never mix. The stored one stays.
    OtherTrustDomain,
}

/// The order of the answers of one bundle endpoint. A greater sequence number wins; without one, or with the same one, the
/// later fetch does. A smaller number is a late copy (a cache, a replica), unless [`RESET_AFTER`] answers in a row have
/// one and none of them goes back further: then the publisher lost its count, and is followed again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Succession {
    behind: u32,
    last: u64,
}

impl Succession {
    /// Judges what was just fetched against what is stored.
    pub fn judge(&mut self, stored: &Bundle, fetched: &Bundle) -> Verdict {
        if stored.trust_domain() != fetched.trust_domain() {
            return Verdict::OtherTrustDomain;
        }
        let numbered = stored.sequence > 0 && fetched.sequence > 0;
        if !numbered || fetched.sequence >= stored.sequence {
            *self = Self::default();
            return if stored == fetched { Verdict::Unchanged } else { Verdict::Take };
        }
        self.behind = if self.behind > 0 && fetched.sequence < self.last { 1 } else { self.behind + 1 };
        self.last = fetched.sequence;
        if self.behind < RESET_AFTER {
            return Verdict::Behind;
        }
        *self = Self::default();
        Verdict::Take
    }
}

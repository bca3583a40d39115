//! What a change did to the cache, for the metrics.

use crate::metrics as m;

/// The value of the label `svid_type`.
pub(super) const X509: &str = "X509";

/// What a change did, and what is held after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) added: usize,
    pub(super) updated: usize,
    pub(super) removed: usize,
    entries: usize,
    bundles: usize,
    held: usize,
}

impl Tally {
    /// The same, with what is held now.
    pub(super) fn holding(self, entries: usize, bundles: usize, held: usize) -> Self {
        Self { entries, bundles, held, ..self }
    }

    /// Tells the metrics.
    pub(super) fn measure(self) {
        m::ENTRIES_MISSING.count(self.added, &[]);
        m::ENTRIES_STALE.count(self.updated, &[]);
        m::ENTRIES_DROPPED.count(self.removed, &[]);
        m::ENTRIES.count(self.entries, &[]);
        m::BUNDLES.count(self.bundles, &[]);
        m::CACHE_ADD.add(self.added, &[]);
        m::CACHE_UPDATE.add(self.updated, &[]);
        m::CACHE_REMOVE.add(self.removed, &[]);
        m::CACHE_ENTRIES.count(self.entries, &[X509]);
        m::CACHE_SVIDS.count(self.held, &[X509]);
    }
}

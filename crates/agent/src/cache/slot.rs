//! What is known of one entry.

use std::sync::Arc;
use std::time::SystemTime;

use model::Selector;

use super::entry::Entry;
use super::held::Held;

/// What is known of one entry.
pub(super) struct Slot {
    pub(super) entry: Arc<Entry>,
    /// Where the index has it; `None` for entries that no workload gets.
    pub(super) under: Option<Selector>,
    pub(super) held: Option<Arc<Held>>,
    /// Whether the SVID was issued for this revision, by an authority that is sound.
    pub(super) current: bool,
    /// How many views have it.
    pub(super) subscribers: u32,
    /// When it was last asked for, in steps of the cache.
    pub(super) used: u64,
    /// Whether the server is being asked.
    pub(super) asking: bool,
    /// How often in a row the server refused.
    pub(super) refusals: u32,
    /// When it is to be looked at again.
    pub(super) due: Option<SystemTime>,
}

impl Slot {
    pub(super) fn new(entry: Arc<Entry>, under: Option<Selector>) -> Self {
        Self {
            entry,
            under,
            held: None,
            current: false,
            subscribers: 0,
            used: 0,
            asking: false,
            refusals: 0,
            due: None,
        }
    }

    /// Whether a workload may get something yet.
    pub(super) fn waiting(&self) -> bool {
        self.held.is_none() && self.refusals == 0
    }
}

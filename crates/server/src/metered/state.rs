//! How much the registry holds.

use std::sync::atomic::{AtomicUsize, Ordering};

use model::{Change, Cursor, Snapshot};

use crate::metrics::{AGENTS, CHANGE_NUMBER, ENTRIES};
use crate::registry::Observer;

/// Measures what stands in memory, as it moves.
#[derive(Default)]
pub(crate) struct Standing {
    entries: AtomicUsize,
    agents: AtomicUsize,
}

impl Standing {
    fn note(&self, after: &Snapshot) {
        self.entries.store(after.entry_count(), Ordering::Relaxed);
        self.agents.store(after.agent_count(), Ordering::Relaxed);
    }
}

impl Observer for Standing {
    fn moved(&self, _before: &Snapshot, after: &Snapshot, _change: &Change) {
        self.note(after);
    }

    fn reloaded(&self, after: &Snapshot) {
        self.note(after);
    }

    fn published(&self, cursor: Cursor) {
        ENTRIES.count(self.entries.load(Ordering::Relaxed), &[]);
        AGENTS.count(self.agents.load(Ordering::Relaxed), &[]);
        #[allow(
            clippy::cast_precision_loss,
            reason = "a gauge is a float; 2^53 changes are more than there are"
        )]
        CHANGE_NUMBER.set(cursor.number as f64, &[]);
    }
}

//! Which SVIDs to ask for, and when.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use super::entry::Entry;

/// Which SVIDs to ask for. Ids that are here in vain are dropped when they are taken out.
#[derive(Default)]
pub(super) struct Queue {
    urgent: BTreeSet<Arc<str>>,
    routine: BTreeSet<Arc<str>>,
    due: BTreeSet<(SystemTime, Arc<str>)>,
}

/// Why an SVID is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// A workload waits, or what it has ends soon.
    Urgent,
    /// Renewal in good time, or before anybody asked.
    Routine,
}

/// An entry whose SVID is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) entry: Arc<Entry>,
    /// When the one that is held expires.
    pub(crate) renews: Option<SystemTime>,
}

impl Queue {
    pub(super) fn push(&mut self, id: &Arc<str>, urgency: Urgency) {
        match urgency {
            Urgency::Urgent => {
                self.routine.remove(id);
                self.urgent.insert(id.clone());
            }
            Urgency::Routine if !self.urgent.contains(id) => {
                self.routine.insert(id.clone());
            }
            Urgency::Routine => {}
        }
    }

    pub(super) fn pop(&mut self, urgency: Urgency) -> Option<Arc<str>> {
        match urgency {
            Urgency::Urgent => self.urgent.pop_first(),
            Urgency::Routine => self.routine.pop_first(),
        }
    }

    pub(super) fn forget(&mut self, id: &str, due: Option<SystemTime>) {
        self.urgent.remove(id);
        self.routine.remove(id);
        if let Some(due) = due {
            self.due.remove(&(due, id.into()));
        }
    }

    pub(super) fn routine_len(&self) -> usize {
        self.routine.len()
    }

    pub(super) fn schedule(&mut self, id: &Arc<str>, at: SystemTime) {
        self.due.insert((at, id.clone()));
    }

    /// One that is due by now.
    pub(super) fn pop_due(&mut self, now: SystemTime) -> Option<Arc<str>> {
        let (at, _) = self.due.first()?;
        if *at > now {
            return None;
        }
        self.due.pop_first().map(|(_, id)| id)
    }

    /// When the next is due.
    pub(super) fn next_due(&self) -> Option<SystemTime> {
        self.due.first().map(|(at, _)| *at)
    }
}

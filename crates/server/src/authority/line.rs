//! One line of authorities: who signs, and who comes next or came before.

use std::time::SystemTime;

use super::kind::Kind;
use super::slot::Slot;
use super::stage::{Active, Authority, Prepared};
use super::state::AuthorityState;

/// The other slot of a line.
#[derive(Debug)]
pub(super) enum Next<K> {
    Empty,
    Prepared(Authority<K, Prepared>),
    /// One that has signed. Its key is needed no more, and may be gone.
    Old(AuthorityState),
}

impl<K> Next<K> {
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Next::Empty)
    }
}

#[derive(Debug)]
pub(super) struct Line<K> {
    pub(super) active: Option<Authority<K, Active>>,
    pub(super) next: Next<K>,
}

impl<K> Default for Line<K> {
    fn default() -> Self {
        Self { active: None, next: Next::Empty }
    }
}

/// What a line needs done now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// A successor, with its key in this slot.
    Prepare(Slot),
    /// The prepared one takes over.
    Activate,
    /// Nothing before this moment.
    Wait(SystemTime),
}

impl<K: Kind> Line<K> {
    /// What is to be done at `now`.
    pub(super) fn need(&self, now: SystemTime) -> Need {
        let prepared = match &self.next {
            // A machine that slept may wake to a successor that has ended as well.
            Next::Prepared(authority) => authority.not_after() > now,
            _ => false,
        };
        match &self.active {
            None if prepared => Need::Activate,
            None => Need::Prepare(self.free_slot()),
            Some(active) if prepared => when(now, active.activate_next_at(), Need::Activate),
            Some(active) => when(now, active.prepare_next_at(), Need::Prepare(self.free_slot())),
        }
    }

    /// Where the key of the next authority goes.
    pub(super) fn free_slot(&self) -> Slot {
        match (&self.active, &self.next) {
            (Some(active), _) => active.slot().other(),
            (None, Next::Prepared(ended)) => ended.slot(),
            (None, Next::Old(old)) => old.slot,
            (None, Next::Empty) => Slot::A,
        }
    }

    /// The prepared one takes over; the name of the one that made way.
    pub(super) fn hand_over(&mut self) -> Option<String> {
        match std::mem::replace(&mut self.next, Next::Empty) {
            Next::Prepared(prepared) => {
                let old = self.active.replace(prepared.activate()).map(Authority::retire);
                let name = old.as_ref().map(|old| old.id.clone());
                self.next = old.map_or(Next::Empty, Next::Old);
                name
            }
            other => {
                self.next = other;
                None
            }
        }
    }

    /// What operators are told.
    pub(super) fn states(&self) -> Vec<AuthorityState> {
        self.active.as_ref().map(Authority::state).into_iter().chain(self.next_state()).collect()
    }

    /// The prepared or the old authority.
    pub(super) fn next_state(&self) -> Option<AuthorityState> {
        match &self.next {
            Next::Empty => None,
            Next::Prepared(authority) => Some(authority.state()),
            Next::Old(state) => Some(state.clone()),
        }
    }
}

fn when(now: SystemTime, due: SystemTime, need: Need) -> Need {
    if now >= due { need } else { Need::Wait(due) }
}

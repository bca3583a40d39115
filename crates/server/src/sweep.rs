//! Removes what has ended: entries past their expiry, join tokens nobody used, changes that every reader has seen.
//!
//! The task sleeps until something ends; it looks at no table on a timer, and its deletions are changes like others.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kit::clock::Clock;
use model::{Change, Cursor, EntryId, Row, Snapshot, UnixTime, Write};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::api::registry_code;
use crate::metrics::ENTRY_PRUNE;
use crate::registry::{Observer, Registry};

/// The longest sleep: a clock that was set is noticed after this.
const LONGEST: Duration = Duration::from_secs(300);
/// The most entries removed in one go.
const BATCH: usize = 500;

/// How long a change is kept for readers that come back (SPIRE 1.16's `prune_events_older_than`).
const KEEP_CHANGES: Duration = Duration::from_secs(12 * 3600);

/// Where the log stood when: what is older than [`KEEP_CHANGES`] by these notes may be forgotten.
#[derive(Default)]
struct Milestones(VecDeque<(UnixTime, u64)>);

impl Milestones {
    /// Notes where the log stands, if it moved; says up to where changes are too old to keep.
    fn pass(&mut self, now: UnixTime, number: u64) -> Option<u64> {
        if self.0.back().is_none_or(|(_, last)| *last < number) {
            self.0.push_back((now, number));
        }
        let kept = i64::try_from(KEEP_CHANGES.as_secs()).unwrap_or(i64::MAX);
        let mut old = None;
        while self.0.len() > 1 && self.0.front().is_some_and(|(at, _)| now.0.saturating_sub(at.0) > kept) {
            old = self.0.pop_front().map(|(_, number)| number);
        }
        old
    }
}

/// Knows when the next thing ends.
#[derive(Debug)]
pub struct Deadlines {
    entries: AtomicI64,
    /// The earliest end among changes that readers do not see yet.
    staged: AtomicI64,
    tokens: AtomicI64,
    wake: Notify,
}

impl Deadlines {
    /// With everything in the registry still to be looked at.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            entries: AtomicI64::new(0),
            staged: AtomicI64::new(i64::MAX),
            tokens: AtomicI64::new(0),
            wake: Notify::new(),
        })
    }

    /// A join token will end then.
    pub fn token(&self, at: UnixTime) {
        if self.tokens.fetch_min(at.0, Ordering::AcqRel) > at.0 {
            self.wake.notify_one();
        }
    }

    fn next(&self) -> UnixTime {
        UnixTime(self.entries.load(Ordering::Acquire).min(self.tokens.load(Ordering::Acquire)))
    }
}

impl Observer for Deadlines {
    fn moved(&self, _before: &Snapshot, _after: &Snapshot, change: &Change) {
        if let Some(Row::Entry(entry)) = &change.row
            && let Some(at) = entry.expires_at
        {
            self.staged.fetch_min(at.0, Ordering::AcqRel);
        }
    }

    fn reloaded(&self, _after: &Snapshot) {
        self.staged.store(0, Ordering::Release);
    }

    /// Only now, so that a sweep that runs meanwhile cannot overlook what its snapshot does not show.
    fn published(&self, _cursor: Cursor) {
        let at = self.staged.swap(i64::MAX, Ordering::AcqRel);
        if self.entries.fetch_min(at, Ordering::AcqRel) > at {
            self.wake.notify_one();
        }
    }
}

/// Sweeps until told to stop.
pub async fn run(registry: Arc<Registry>, deadlines: Arc<Deadlines>, clock: Clock, stop: CancellationToken) {
    let mut milestones = Milestones::default();
    loop {
        let now = UnixTime::of(clock.now());
        if deadlines.next() <= now {
            sweep(&registry, &deadlines, now).await;
        }
        if let Some(number) = milestones.pass(now, registry.snapshot().cursor().number)
            && let Err(error) = registry.forget(number).await
        {
            tracing::warn!(error = %error, "Old changes could not be forgotten; trying again when the next ones are old");
        }
        let left = deadlines.next().0.saturating_sub(UnixTime::of(clock.now()).0).max(1);
        let nap = Duration::from_secs(left.unsigned_abs()).min(LONGEST);
        tokio::select! {
            () = stop.cancelled() => return,
            () = deadlines.wake.notified() => {}
            () = tokio::time::sleep(nap) => {}
        }
    }
}

async fn sweep(registry: &Registry, deadlines: &Deadlines, now: UnixTime) {
    if deadlines.tokens.load(Ordering::Acquire) <= now.0 {
        // Tokens are not in the snapshot, so the next one's end is not known: at the latest when one is made.
        deadlines.tokens.store(i64::MAX, Ordering::Release);
        if let Err(error) = registry.write(Write::SweepTokens(now)).await {
            tracing::warn!(error = %error, "Expired join tokens could not be removed; trying again later");
            deadlines.tokens.store(now.0.saturating_add(60), Ordering::Release);
        }
    }
    if deadlines.entries.load(Ordering::Acquire) <= now.0 {
        let call = ENTRY_PRUNE.start(&[]);
        let mut code = Code::Ok;
        deadlines.entries.store(i64::MAX, Ordering::Release);
        let (ended, next) = ended_entries(&registry.snapshot(), now);
        deadlines.entries.fetch_min(next.0, Ordering::AcqRel);
        for batch in ended.chunks(BATCH) {
            let deletions = batch.iter().cloned().map(Write::DeleteEntry).collect();
            for (id, answer) in batch.iter().zip(registry.write_each(deletions).await) {
                match answer {
                    Ok(_) => tracing::info!(entry_id = %id, "Pruned an expired registration entry"),
                    Err(error) => {
                        tracing::warn!(entry_id = %id, error = %error, "An expired registration entry could not be removed");
                        deadlines.entries.fetch_min(now.0.saturating_add(60), Ordering::AcqRel);
                        code = registry_code(&error);
                    }
                }
            }
        }
        call.done(code);
    }
}

/// The entries that have ended, and when the next one does.
fn ended_entries(snapshot: &Snapshot, now: UnixTime) -> (Vec<EntryId>, UnixTime) {
    let (mut ended, mut next) = (Vec::new(), UnixTime(i64::MAX));
    for entry in snapshot.entries_after(0) {
        match entry.expires_at {
            Some(at) if at <= now => ended.push(entry.id.clone()),
            Some(at) => next = next.min(at),
            None => {}
        }
    }
    (ended, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_forgotten_once_it_is_older_than_it_must_be_kept() {
        let hour = 3600;
        let mut milestones = Milestones::default();
        assert_eq!(milestones.pass(UnixTime(0), 10), None);
        assert_eq!(milestones.pass(UnixTime(hour), 20), None);
        assert_eq!(milestones.pass(UnixTime(2 * hour), 20), None);
        assert_eq!(milestones.pass(UnixTime(12 * hour + 1), 30), Some(10));
        assert_eq!(milestones.pass(UnixTime(13 * hour), 30), None);
        assert_eq!(milestones.pass(UnixTime(14 * hour), 30), Some(20));
        // At rest the newest note stays, and nothing is asked of the database.
        assert_eq!(milestones.pass(UnixTime(100 * hour), 30), None);
    }
}

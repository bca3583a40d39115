//! Removes what has ended: entries past their expiry, join tokens nobody used, changes that every reader has seen.
//!
//! The task sleeps until something ends; it looks at no table on a timer, and its deletions are changes like others.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kit::clock::Clock;
use model::{Agent, Change, Cursor, EntryId, Row, Snapshot, UnixTime, Write};
use spiffe::SpiffeId;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::agent_removal::Removal;
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

/// Which agents are purged (SPIRE 1.16's `prune_attested_nodes_…`). Banned ones are kept: their ban is what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prune {
    /// How long ago their SVID must have ended.
    pub expired_for: Duration,
    /// The most that are purged in one transaction.
    pub batch_size: usize,
    /// Whether those are purged too that cannot attest again.
    pub tofu: bool,
}

impl Prune {
    /// The agents to purge now.
    fn due(&self, snapshot: &Snapshot, now: UnixTime) -> Vec<SpiffeId> {
        let long = i64::try_from(self.expired_for.as_secs()).unwrap_or(i64::MAX);
        let before = now.0.saturating_sub(long);
        let due = |agent: &&Arc<Agent>| {
            agent.expires_at.0 < before && !agent.is_banned() && (agent.can_reattest || self.tofu)
        };
        snapshot.agents_after(0).filter(due).map(|agent| agent.id.clone()).collect()
    }
}

/// How often expired agents are looked for, in memory.
const PRUNING: i64 = 300;

async fn prune_agents(registry: &Registry, prune: &Prune, now: UnixTime) {
    let due = prune.due(&registry.snapshot(), now);
    for batch in due.chunks(prune.batch_size.max(1)) {
        let snapshot = registry.snapshot();
        let removals: Vec<_> = batch.iter().map(|id| Removal::of(&snapshot, id)).collect();
        let answers = registry.write_each(removals.iter().map(Removal::write).collect()).await;
        removals
            .iter()
            .zip(&answers)
            .filter(|(_, answer)| answer.is_ok())
            .for_each(|(removal, _)| removal.tell());
        for (id, error) in
            batch.iter().zip(&answers).filter_map(|(id, answer)| Some((id, answer.as_ref().err()?)))
        {
            tracing::warn!(agent_id = %id, error = %error, "An expired agent could not be purged; trying again later");
        }
        tracing::info!(
            count = answers.iter().filter(|answer| answer.is_ok()).count(),
            "Pruned expired agents"
        );
    }
}

/// Sweeps until told to stop.
pub async fn run(
    registry: Arc<Registry>,
    deadlines: Arc<Deadlines>,
    prune: Option<Prune>,
    clock: Clock,
    stop: CancellationToken,
) {
    let mut prune_at = i64::MIN;
    let mut milestones = Milestones::default();
    loop {
        let now = UnixTime::of(clock.now());
        if deadlines.next() <= now {
            sweep(&registry, &deadlines, now).await;
        }
        if let Some(prune) = prune.as_ref().filter(|_| prune_at <= now.0) {
            prune_agents(&registry, prune, now).await;
            prune_at = now.0.saturating_add(PRUNING);
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

    fn agent(name: &str, expires_at: i64, can_reattest: bool, banned: bool) -> Agent {
        Agent {
            id: SpiffeId::parse(&format!("spiffe://example.org/spire/agent/{name}")).unwrap(),
            ord: expires_at.unsigned_abs(),
            attestation_type: "test".into(),
            serial: if banned { String::new() } else { "1".into() },
            expires_at: UnixTime(expires_at),
            new_serial: String::new(),
            new_expires_at: None,
            selectors: model::Selectors::default(),
            can_reattest,
            version: String::new(),
            revision: 0,
        }
    }

    #[test]
    fn agents_are_purged_that_ended_long_ago_and_are_not_banned() {
        let mut snapshot = Snapshot::empty();
        for agent in [
            agent("long", 100, true, false),
            agent("banned", 101, true, true),
            agent("once", 102, false, false),
            agent("short", 900, true, false),
        ] {
            snapshot.put(Row::Agent(agent.into()));
        }
        let due = |tofu| {
            let prune = Prune { expired_for: Duration::from_secs(500), batch_size: 1, tofu };
            let due = prune.due(&snapshot, UnixTime(1000));
            due.iter().map(|id| id.path().trim_start_matches("/spire/agent/").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(due(false), ["long"]);
        assert_eq!(due(true), ["long", "once"]);
    }

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

//! Who follows, and what changed for whom since they were last told.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{Change, Cursor, Entry, EntryId, RowKey, Snapshot, graph};
use proto::bonafide::feed::v1::goodbye::Reason;
use spiffe::{SpiffeId, TrustDomain};
use tokio::sync::Notify;

use crate::metrics::FEED_STREAMS;
use crate::registry::Observer;

/// All streams of this server, and the staging of changes on their way to them.
#[derive(Default)]
pub struct Hub {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Every change up to here has been handed to the streams it concerns.
    settled: Cursor,
    followers: HashMap<SpiffeId, Vec<Arc<Follower>>>,
    /// Marks of changes whose snapshot is not published yet.
    staged: Vec<(Arc<Follower>, Marks)>,
    next: u64,
    /// How many streams there are.
    streams: usize,
}

/// One stream, as the hub sees it.
pub(super) struct Follower {
    key: u64,
    pub(super) agent_id: SpiffeId,
    instance: Vec<u8>,
    marks: Mutex<Marks>,
    pub(super) wake: Notify,
    acknowledged: AtomicU64,
}

/// What changed for a stream since it was last told.
#[derive(Default)]
pub(super) struct Marks {
    pub(super) entries: HashSet<EntryId>,
    pub(super) bundles: HashSet<TrustDomain>,
    /// The history broke: a whole snapshot is due.
    pub(super) everything: bool,
    /// The stream is to end.
    pub(super) goodbye: Option<(Reason, &'static str)>,
}

impl Marks {
    fn merge(&mut self, other: Marks) {
        self.entries.extend(other.entries);
        self.bundles.extend(other.bundles);
        self.everything |= other.everything;
        self.goodbye = self.goodbye.take().or(other.goodbye);
    }

    /// Whether there is nothing to tell.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.bundles.is_empty() && !self.everything && self.goodbye.is_none()
    }
}

/// How far one agent has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The agent.
    pub agent_id: SpiffeId,
    /// Everything up to here is applied there.
    pub acknowledged: u64,
}

impl Hub {
    /// A hub that nobody follows yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// How far each connected agent has acknowledged: what authority rotation and revocation wait for.
    pub fn progress(&self) -> Vec<Progress> {
        let followers = lock(&self.inner);
        let each = followers.followers.values().flatten();
        each.map(|f| Progress {
            agent_id: f.agent_id.clone(),
            acknowledged: f.acknowledged.load(Ordering::Acquire),
        })
        .collect()
    }

    /// Ends every stream with a word, since this server stops: an open stream would hold up the stop.
    pub fn drain(&self) {
        for follower in lock(&self.inner).followers.values().flatten() {
            lock(&follower.marks).goodbye.get_or_insert((Reason::Drained, "this server stops"));
            follower.wake.notify_one();
        }
    }

    /// Enters a stream. From here on it is marked for whatever concerns its agent; a snapshot read after this call
    /// shows everything before. Also says whether the agent has a stream of another instance: two processes with one
    /// identity.
    pub(super) fn enter(self: &Arc<Self>, agent_id: SpiffeId, instance: Vec<u8>) -> (Following, bool) {
        let mut inner = lock(&self.inner);
        inner.next += 1;
        let follower = Arc::new(Follower {
            key: inner.next,
            agent_id: agent_id.clone(),
            instance,
            marks: Mutex::default(),
            wake: Notify::new(),
            acknowledged: AtomicU64::new(0),
        });
        let all = inner.followers.entry(agent_id).or_default();
        let twin = all.iter().any(|other| other.instance != follower.instance);
        all.push(follower.clone());
        inner.streams += 1;
        FEED_STREAMS.count(inner.streams, &[]);
        (Following { hub: self.clone(), follower }, twin)
    }

    /// Stages what `marks` says for every stream of these agents.
    fn stage(inner: &mut Inner, agents: impl IntoIterator<Item = SpiffeId>, marks: impl Fn() -> Marks) {
        for agent in agents {
            for follower in inner.followers.get(&agent).into_iter().flatten() {
                inner.staged.push((follower.clone(), marks()));
            }
        }
    }
}

impl Observer for Hub {
    fn moved(&self, before: &Snapshot, after: &Snapshot, change: &Change) {
        let mut inner = lock(&self.inner);
        if inner.followers.is_empty() {
            return;
        }
        match &change.key {
            RowKey::Entry(id) => {
                let (was, is) = (before.entry(id), after.entry(id));
                if was == is {
                    return;
                }
                let mut agents = HashSet::new();
                agents.extend(was.into_iter().flat_map(|e| graph::concerned(before, e)));
                agents.extend(is.into_iter().flat_map(|e| graph::concerned(after, e)));
                let mut ids: HashSet<EntryId> = HashSet::from([id.clone()]);
                if !same_place(was.map(|e| &**e), is.map(|e| &**e)) {
                    ids.extend(was.into_iter().flat_map(|e| graph::below(before, &e.spiffe_id)));
                    ids.extend(is.into_iter().flat_map(|e| graph::below(after, &e.spiffe_id)));
                }
                Self::stage(&mut inner, agents, || Marks { entries: ids.clone(), ..Marks::default() });
            }
            RowKey::Agent(id) => {
                if !inner.followers.contains_key(id) {
                    return;
                }
                let Marks { entries, goodbye, .. } = agent_marks(before, after, id);
                Self::stage(&mut inner, [id.clone()], || Marks {
                    entries: entries.clone(),
                    goodbye,
                    ..Marks::default()
                });
            }
            RowKey::Bundle(td) => {
                let everyone: Vec<SpiffeId> = inner.followers.keys().cloned().collect();
                Self::stage(&mut inner, everyone, || Marks {
                    bundles: HashSet::from([td.clone()]),
                    ..Marks::default()
                });
            }
            RowKey::Token | RowKey::Journal(_) | RowKey::Relationship(_) => {}
        }
    }

    fn reloaded(&self, _after: &Snapshot) {
        let mut inner = lock(&self.inner);
        let everyone: Vec<SpiffeId> = inner.followers.keys().cloned().collect();
        Self::stage(&mut inner, everyone, || Marks { everything: true, ..Marks::default() });
    }

    fn published(&self, cursor: Cursor) {
        let mut inner = lock(&self.inner);
        for (follower, marks) in std::mem::take(&mut inner.staged) {
            lock(&follower.marks).merge(marks);
            follower.wake.notify_one();
        }
        inner.settled = cursor;
    }
}

/// Whether an entry reaches the same agents and hands on the same identity as before.
fn same_place(was: Option<&Entry>, is: Option<&Entry>) -> bool {
    match (was, is) {
        (Some(was), Some(is)) => {
            was.spiffe_id == is.spiffe_id
                && was.parent_id == is.parent_id
                && (!is.is_alias() || was.selectors == is.selectors)
        }
        _ => false,
    }
}

/// What a change of the agent's own row means to its streams.
fn agent_marks(before: &Snapshot, after: &Snapshot, id: &SpiffeId) -> Marks {
    let (was, is) = (before.agent(id), after.agent(id));
    let goodbye = match is {
        None => Some((Reason::Evicted, "the agent was evicted: attest anew")),
        Some(agent) if agent.is_banned() => Some((Reason::Banned, "the agent was banned")),
        Some(_) => None,
    };
    let mut entries = HashSet::new();
    if let (Some(was), Some(is)) = (was, is)
        && was.selectors != is.selectors
    {
        entries.extend(graph::authorized_entries(before, was).iter().map(|e| e.id.clone()));
        entries.extend(graph::authorized_entries(after, is).iter().map(|e| e.id.clone()));
    }
    Marks { entries, goodbye, ..Marks::default() }
}

/// A stream's place in the hub; leaves when dropped.
pub(super) struct Following {
    hub: Arc<Hub>,
    pub(super) follower: Arc<Follower>,
}

impl Following {
    /// Takes what changed, and up to where that is complete. A snapshot read after this call shows all of it.
    pub(super) fn take(&self) -> (Marks, Cursor) {
        let inner = lock(&self.hub.inner);
        (std::mem::take(&mut *lock(&self.follower.marks)), inner.settled)
    }

    /// Notes that the agent has applied everything up to `number`.
    pub(super) fn acknowledge(&self, number: u64) {
        self.follower.acknowledged.fetch_max(number, Ordering::AcqRel);
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut inner = lock(&self.hub.inner);
        inner.streams = inner.streams.saturating_sub(1);
        FEED_STREAMS.count(inner.streams, &[]);
        if let Some(all) = inner.followers.get_mut(&self.follower.agent_id) {
            all.retain(|f| f.key != self.follower.key);
            if all.is_empty() {
                inner.followers.remove(&self.follower.agent_id);
            }
        }
    }
}

/// The lock guards plain data that no panic leaves half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

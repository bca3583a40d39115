//! The cache's state. All of it stands under one lock, held for short steps that do no I/O.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use model::Selectors;
use proto::SetDigest;
use proto::spire::api::types;
use spiffe::TrustDomain;
use spiffe::bundle::Bundle;
use tokio::sync::watch;

use super::difference::Difference;
use super::entry::Entry;
use super::held::{Held, IssueFault};
use super::hints;
use super::index::{EntryIndex, ViewIndex};
use super::queue::{Asked, Queue, Urgency};
use super::slot::Slot;
use super::tally::Tally;
use super::update::{Identity, Update};
use crate::halflife;

/// The waits after the server refused an SVID grow from the first to the second.
const REFUSED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(240));

/// Views whose update must be made anew.
type Touched = HashSet<Selectors>;

struct View {
    /// Ids of the entries it has, in order.
    ids: Vec<Arc<str>>,
    update: watch::Sender<Arc<Update>>,
    streams: usize,
}

/// The cache's state.
pub(super) struct State {
    trust_domain: TrustDomain,
    max: usize,
    target: Option<Duration>,
    slots: HashMap<Arc<str>, Slot>,
    /// Revisions and times of creation of entries that could not be read.
    unreadable: HashMap<Arc<str>, (i64, i64)>,
    digest: SetDigest,
    entries: EntryIndex,
    views: HashMap<Selectors, View>,
    view_index: ViewIndex,
    bundles: BTreeMap<TrustDomain, Arc<Bundle>>,
    queue: Queue,
    held: usize,
    step: u64,
    /// The names of the authorities that are tainted now.
    tainted: HashSet<Vec<u8>>,
    /// What the change under way has done so far.
    tally: Tally,
}

impl State {
    pub(super) fn new(trust_domain: TrustDomain, max: usize, target: Option<Duration>) -> Self {
        Self {
            trust_domain,
            max,
            target,
            slots: HashMap::new(),
            unreadable: HashMap::new(),
            digest: SetDigest::EMPTY,
            entries: EntryIndex::default(),
            views: HashMap::new(),
            view_index: ViewIndex::default(),
            bundles: BTreeMap::new(),
            queue: Queue::default(),
            held: 0,
            step: 0,
            tainted: HashSet::new(),
            tally: Tally::default(),
        }
    }

    pub(super) fn digest(&self) -> SetDigest {
        self.digest
    }

    pub(super) fn bundle(&self) -> Option<Arc<Bundle>> {
        self.bundles.get(&self.trust_domain).cloned()
    }

    pub(super) fn bundles(&self) -> impl Iterator<Item = &Arc<Bundle>> {
        self.bundles.values()
    }

    pub(super) fn held(&self) -> usize {
        self.held
    }

    pub(super) fn all_held(&self) -> impl Iterator<Item = &Arc<Held>> {
        self.slots.values().filter_map(|slot| slot.held.as_ref())
    }

    /// Each entry's revision and time of creation.
    pub(super) fn revisions(&self) -> HashMap<String, (i64, i64)> {
        let read = self
            .slots
            .values()
            .map(|slot| (slot.entry.id.to_string(), (slot.entry.revision, slot.entry.created_at)));
        let unread = self.unreadable.iter().map(|(id, known)| (id.to_string(), *known));
        read.chain(unread).collect()
    }

    /// What a difference must delete so that only what `named` has is left.
    pub(super) fn others(&self, named: &HashSet<&str>) -> Vec<String> {
        let known = self.slots.keys().chain(self.unreadable.keys());
        known.filter(|id| !named.contains(&***id)).map(|id| id.to_string()).collect()
    }

    /// The same for bundles.
    pub(super) fn other_bundles(&self, named: &HashSet<TrustDomain>) -> Vec<TrustDomain> {
        self.bundles.keys().filter(|td| !named.contains(td)).cloned().collect()
    }

    /// The names of the trust domains that entries federate with.
    pub(super) fn federated_domains(&self) -> BTreeSet<String> {
        let all = self.slots.values().flat_map(|slot| &slot.entry.federates_with);
        all.map(|td| td.as_str().to_owned()).collect()
    }

    /// Applies differences and hands them to the views they concern.
    pub(super) fn apply(&mut self, difference: Difference) -> Tally {
        self.tally = Tally::default();
        let mut touched = Touched::new();
        for id in &difference.deleted {
            self.remove(id, &mut touched);
        }
        for wire in &difference.entries {
            self.upsert(wire, &mut touched);
        }
        for td in &difference.deleted_bundles {
            if self.bundles.remove(td).is_some() {
                self.touch_bundle(td, &mut touched);
            }
        }
        for bundle in difference.bundles {
            self.put_bundle(bundle, &mut touched);
        }
        self.refresh(&touched);
        self.tally.holding(self.slots.len(), self.bundles.len(), self.held)
    }

    fn remove(&mut self, id: &str, touched: &mut Touched) {
        if let Some((revision, _)) = self.unreadable.remove(id) {
            self.digest.remove(id, revision);
        }
        let Some(slot) = self.slots.remove(id) else { return };
        self.tally.removed += 1;
        self.digest.remove(id, slot.entry.revision);
        if let Some(under) = &slot.under {
            self.entries.remove(id, under);
        }
        self.queue.forget(id, slot.due);
        self.held -= usize::from(slot.held.is_some());
        touched.extend(self.view_index.concerned(&slot.entry.selectors).cloned());
    }

    fn upsert(&mut self, wire: &types::Entry, touched: &mut Touched) {
        let entry = match Entry::read(wire) {
            Ok(entry) => entry,
            Err(error) => {
                tracing::warn!(error = %error, entry_id = wire.id, "Received malformed entry from the server; are the server and agent versions compatible?");
                self.remove(&wire.id, touched);
                self.digest.add(&wire.id, wire.revision_number);
                self.unreadable.insert(wire.id.as_str().into(), (wire.revision_number, wire.created_at));
                return;
            }
        };
        if self.slots.get(&entry.id).is_some_and(|slot| *slot.entry == entry) {
            return;
        }
        match self.slots.contains_key(&entry.id) {
            true => self.change(entry, touched),
            false => self.insert(entry, touched),
        }
    }

    fn insert(&mut self, entry: Entry, touched: &mut Touched) {
        if let Some((revision, _)) = self.unreadable.remove(&entry.id) {
            self.digest.remove(&entry.id, revision);
        }
        self.tally.added += 1;
        self.digest.add(&entry.id, entry.revision);
        let entry = Arc::new(entry);
        let under = self.file(&entry);
        touched.extend(self.view_index.concerned(&entry.selectors).cloned());
        self.slots.insert(entry.id.clone(), Slot::new(entry.clone(), under));
        self.want(&entry.id);
    }

    fn change(&mut self, entry: Entry, touched: &mut Touched) {
        let entry = Arc::new(entry);
        let Some(slot) = self.slots.get_mut(&entry.id) else { return };
        self.tally.updated += 1;
        let old = std::mem::replace(&mut slot.entry, entry.clone());
        slot.refusals = 0;
        slot.current = slot.current && old.revision == entry.revision && old.created_at == entry.created_at;
        if old.spiffe_id != entry.spiffe_id && slot.held.take().is_some() {
            self.held -= 1;
        }
        let under = slot.under.take();
        self.digest.remove(&old.id, old.revision);
        self.digest.add(&entry.id, entry.revision);
        if let Some(under) = under {
            self.entries.remove(&entry.id, &under);
        }
        let under = self.file(&entry);
        if let Some(slot) = self.slots.get_mut(&entry.id) {
            slot.under = under;
        }
        touched.extend(self.view_index.concerned(&old.selectors).cloned());
        touched.extend(self.view_index.concerned(&entry.selectors).cloned());
        self.want(&entry.id);
    }

    fn file(&mut self, entry: &Entry) -> Option<model::Selector> {
        if entry.stored { None } else { self.entries.add(&entry.id, &entry.selectors) }
    }

    fn put_bundle(&mut self, bundle: Bundle, touched: &mut Touched) {
        let td = bundle.trust_domain().clone();
        if self.bundles.get(&td).is_some_and(|old| old.same_contents(&bundle)) {
            return;
        }
        self.bundles.insert(td.clone(), Arc::new(bundle));
        self.touch_bundle(&td, touched);
    }

    fn touch_bundle(&self, td: &TrustDomain, touched: &mut Touched) {
        if *td == self.trust_domain {
            touched.extend(self.views.keys().cloned());
            return;
        }
        let has = |view: &&View| {
            let mut entries = view.ids.iter().filter_map(|id| self.slots.get(id));
            entries.any(|slot| slot.entry.federates_with.contains(td))
        };
        touched
            .extend(self.views.iter().filter(|(_, view)| has(view)).map(|(selectors, _)| selectors.clone()));
    }

    /// Entries that a process with these selectors may have, by id.
    pub(super) fn matching(&self, has: &Selectors) -> Vec<Arc<Entry>> {
        let candidates = self.entries.candidates(has).filter_map(|id| self.slots.get(id));
        let mut found: Vec<Arc<Entry>> = candidates
            .filter(|slot| slot.entry.selectors.is_subset(has))
            .map(|slot| slot.entry.clone())
            .collect();
        found.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        found
    }

    /// Bundles of the trust domains that these entries name.
    pub(super) fn federated(&self, entries: &[Arc<Entry>]) -> Vec<Arc<Bundle>> {
        let named: BTreeSet<&TrustDomain> = entries.iter().flat_map(|entry| &entry.federates_with).collect();
        named
            .into_iter()
            .filter(|td| **td != self.trust_domain)
            .filter_map(|td| self.bundles.get(td).cloned())
            .collect()
    }

    /// The view of these selectors, made if need be, with one stream more.
    pub(super) fn open(&mut self, has: &Selectors) -> watch::Receiver<Arc<Update>> {
        self.step += 1;
        if let Some(view) = self.views.get_mut(has) {
            view.streams += 1;
            return view.update.subscribe();
        }
        let (update, receiver) = watch::channel(Arc::new(Update::default()));
        self.views.insert(has.clone(), View { ids: Vec::new(), update, streams: 1 });
        self.view_index.add(has);
        self.refresh_one(has);
        receiver
    }

    /// One stream less; the last takes the view with it.
    pub(super) fn close(&mut self, has: &Selectors) {
        let Some(view) = self.views.get_mut(has) else { return };
        view.streams -= 1;
        if view.streams > 0 {
            return;
        }
        let ids = std::mem::take(&mut view.ids);
        self.views.remove(has);
        self.view_index.remove(has);
        for id in &ids {
            self.unsubscribe(id);
        }
        self.evict();
    }

    fn unsubscribe(&mut self, id: &str) {
        if let Some(slot) = self.slots.get_mut(id) {
            slot.subscribers = slot.subscribers.saturating_sub(1);
            slot.used = self.step;
        }
    }

    fn refresh(&mut self, touched: &Touched) {
        for has in touched {
            self.refresh_one(has);
        }
    }

    /// Makes a view's update anew and hands it out, if it says something new.
    fn refresh_one(&mut self, has: &Selectors) {
        let matching = self.matching(has);
        let Some(view) = self.views.get_mut(has) else { return };
        let ids: Vec<Arc<str>> = matching.iter().map(|entry| entry.id.clone()).collect();
        let old = std::mem::replace(&mut view.ids, ids.clone());
        for id in ids.iter().filter(|id| old.binary_search(id).is_err()) {
            if let Some(slot) = self.slots.get_mut(id) {
                slot.subscribers += 1;
                slot.used = self.step;
            }
            self.want(id);
        }
        for id in old.iter().filter(|id| ids.binary_search(id).is_err()) {
            self.unsubscribe(id);
        }
        let update = self.update(hints::unique(matching));
        let Some(view) = self.views.get(has) else { return };
        view.update.send_if_modified(|now| {
            let new = !now.same(&update);
            if new {
                *now = Arc::new(update);
            }
            new
        });
    }

    fn update(&self, entries: Vec<Arc<Entry>>) -> Update {
        let slots = || entries.iter().filter_map(|entry| self.slots.get(&entry.id));
        let waiting = slots().any(Slot::waiting);
        let identities = slots()
            .filter_map(|slot| Some(Identity { entry: slot.entry.clone(), held: slot.held.clone()? }))
            .collect();
        Update::new(identities, entries.len(), waiting, self.bundle(), self.federated(&entries))
    }

    /// Queues an entry's SVID if one is needed.
    fn want(&mut self, id: &Arc<str>) {
        let Some(slot) = self.slots.get(id) else { return };
        if slot.asking || slot.current || slot.entry.stored {
            return;
        }
        let room = self.held + self.queue.routine_len() < self.max;
        if slot.subscribers > 0 {
            self.queue.push(id, Urgency::Urgent);
        } else if slot.held.is_some() || (slot.entry.prefetch && room) {
            self.queue.push(id, Urgency::Routine);
        }
    }

    /// Up to `limit` entries whose SVIDs are to be asked for now; each is to be settled.
    pub(super) fn take(&mut self, urgency: Urgency, limit: usize, now: SystemTime) -> Vec<Asked> {
        while let Some(id) = self.queue.pop_due(now) {
            self.wake(&id, now);
        }
        let mut taken = Vec::new();
        while taken.len() < limit {
            let Some(id) = self.queue.pop(urgency) else { break };
            let Some(slot) = self.slots.get_mut(&id).filter(|slot| !slot.asking && !slot.current) else {
                continue;
            };
            slot.asking = true;
            let renews = slot.held.as_ref().map(|held| held.expires_at());
            taken.push(Asked { entry: slot.entry.clone(), renews });
        }
        taken
    }

    /// The time has come to renew, or to try again what was refused.
    fn wake(&mut self, id: &Arc<str>, now: SystemTime) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        slot.due = None;
        slot.current = false;
        let Some(held) = &slot.held else { return self.want(id) };
        // In the last fifth of its life it goes before what is merely early.
        let life = held.expires_at().duration_since(held.starts_at()).unwrap_or_default();
        let left = held.expires_at().duration_since(now).unwrap_or_default();
        let urgency = if left < life / 5 { Urgency::Urgent } else { Urgency::Routine };
        if !slot.asking {
            self.queue.push(id, urgency);
        }
    }

    pub(super) fn next_due(&self) -> Option<SystemTime> {
        self.queue.next_due()
    }

    /// Takes what the server answered.
    pub(super) fn settle(&mut self, answers: Vec<(Arc<Entry>, Result<Held, IssueFault>)>, now: SystemTime) {
        let mut touched = Touched::new();
        for (asked, answer) in answers {
            self.settle_one(&asked, answer, now);
            touched.extend(self.view_index.concerned(&asked.selectors).cloned());
        }
        self.refresh(&touched);
        self.evict();
    }

    fn settle_one(&mut self, asked: &Arc<Entry>, answer: Result<Held, IssueFault>, now: SystemTime) {
        let Some(slot) = self.slots.get_mut(&asked.id) else { return };
        slot.asking = false;
        let due = match answer {
            // The entry may have become another's meanwhile.
            Ok(held) if *held.id() == slot.entry.spiffe_id => {
                // Signed before the taint and on its way while that was dealt with: to be replaced, but not in a loop that
                // spins, should the server go on signing with what it tainted.
                let due = match self.tainted.contains(held.issuer()) {
                    true => now + REFUSED.0,
                    false => halflife::renewal(now, held.starts_at(), held.expires_at(), self.target)
                        .max(now + REFUSED.0),
                };
                self.held += usize::from(slot.held.replace(Arc::new(held)).is_none());
                slot.current =
                    slot.entry.revision == asked.revision && slot.entry.created_at == asked.created_at;
                slot.refusals = 0;
                due
            }
            Ok(_) => return self.want(&asked.id),
            Err(error) => {
                tracing::warn!(error = %error, entry_id = &*asked.id, spiffe_id = asked.spiffe_id.as_str(), "Failed to mint X509 SVID");
                slot.refusals += 1;
                // It stays as it is until then.
                slot.current = true;
                now + REFUSED.0.mul_f64(1.5f64.powi(slot.refusals.min(20) as i32)).min(REFUSED.1)
            }
        };
        if let Some(old) = slot.due.replace(due) {
            self.queue.forget(&asked.id, Some(old));
        }
        self.queue.schedule(&asked.id, due);
        self.want(&asked.id);
    }

    /// The server could not be asked.
    pub(super) fn give_back(&mut self, asked: &[Arc<Entry>]) {
        for entry in asked {
            if let Some(slot) = self.slots.get_mut(&entry.id) {
                slot.asking = false;
            }
            self.want(&entry.id);
        }
    }

    /// Remembers which authorities are tainted, for what is on its way.
    pub(super) fn remember_tainted(&mut self, subjects: HashSet<Vec<u8>>) {
        self.tainted = subjects;
    }

    /// Has SVIDs issued anew that these authorities signed, and returns how many. What cannot be told apart by the
    /// issuer's name is issued anew as well.
    pub(super) fn taint(&mut self, subjects: &HashSet<Vec<u8>>) -> usize {
        let signed = |held: &Held| subjects.contains(held.issuer());
        let ids: Vec<Arc<str>> = self
            .slots
            .values_mut()
            .filter(|slot| slot.held.as_deref().is_some_and(signed))
            .map(|slot| {
                slot.current = false;
                slot.entry.id.clone()
            })
            .collect();
        ids.iter().for_each(|id| self.want(id));
        ids.len()
    }

    /// Lets go of SVIDs beyond the limit that no stream needs, the longest unused first.
    fn evict(&mut self) {
        let excess = self.held.saturating_sub(self.max);
        if excess == 0 {
            return;
        }
        let mut idle: Vec<(u64, Arc<str>)> = self
            .slots
            .values()
            .filter(|slot| slot.held.is_some() && slot.subscribers == 0)
            .map(|slot| (slot.used, slot.entry.id.clone()))
            .collect();
        idle.sort_unstable();
        for (_, id) in idle.into_iter().take(excess) {
            let Some(slot) = self.slots.get_mut(&id) else { continue };
            slot.held = None;
            slot.current = false;
            self.held -= 1;
            let due = slot.due.take();
            self.queue.forget(&id, due);
        }
    }
}

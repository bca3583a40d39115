//! What one agent has been told: the set that both sides hold, and its digest.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use model::{Agent, Entry, EntryId, Snapshot, graph};
use proto::SetDigest;
use spiffe::TrustDomain;
use spiffe::bundle::Bundle;

/// The entries that the agent holds, as far as it has been sent them.
pub(super) struct View {
    own: TrustDomain,
    held: HashMap<EntryId, Arc<Entry>>,
    /// How many held entries federate with a trust domain.
    federated: HashMap<TrustDomain, usize>,
    digest: SetDigest,
}

/// The difference between what is held and what should be.
#[derive(Default)]
pub(super) struct Difference {
    pub(super) entries: Vec<Arc<Entry>>,
    pub(super) deleted_entries: Vec<EntryId>,
    pub(super) bundles: Vec<Arc<Bundle>>,
    pub(super) deleted_bundles: Vec<TrustDomain>,
}

impl Difference {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.deleted_entries.is_empty()
            && self.bundles.is_empty()
            && self.deleted_bundles.is_empty()
    }
}

impl View {
    /// A view that holds all that the agent may use.
    pub(super) fn full(own: TrustDomain, snapshot: &Snapshot, agent: &Agent) -> Self {
        let mut view =
            Self { own, held: HashMap::new(), federated: HashMap::new(), digest: SetDigest::EMPTY };
        for entry in graph::authorized_entries(snapshot, agent) {
            view.hold(entry);
        }
        view
    }

    /// The digest of what is held.
    pub(super) fn digest(&self) -> SetDigest {
        self.digest
    }

    /// All entries held.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.held.values()
    }

    /// Whether the entry of that name is held.
    pub(super) fn holds(&self, id: &EntryId) -> bool {
        self.held.contains_key(id)
    }

    /// The bundles that go with them: the own one and those that an entry names.
    pub(super) fn bundles(&self, snapshot: &Snapshot) -> Vec<Arc<Bundle>> {
        snapshot.bundles().filter(|b| self.follows(b.trust_domain())).cloned().collect()
    }

    /// Whether the bundle of `td` concerns the agent.
    pub(super) fn follows(&self, td: &TrustDomain) -> bool {
        *td == self.own || self.federated.contains_key(td)
    }

    /// Brings these ids to their state in `snapshot` and says what changed by that.
    pub(super) fn advance(
        &mut self,
        snapshot: &Snapshot,
        agent: &Agent,
        entries: &HashSet<EntryId>,
        bundles: &HashSet<TrustDomain>,
    ) -> Difference {
        let before: HashSet<TrustDomain> = self.federated.keys().cloned().collect();
        let mut difference = Difference::default();
        for id in entries {
            match snapshot
                .entry(id)
                .filter(|entry| !entry.is_alias() && graph::may_use(snapshot, agent, entry))
            {
                Some(entry) if self.held.get(id).is_some_and(|held| held == entry) => {}
                Some(entry) => {
                    self.release(id);
                    self.hold(entry.clone());
                    difference.entries.push(entry.clone());
                }
                None if self.release(id) => difference.deleted_entries.push(id.clone()),
                None => {}
            }
        }
        let newly = self.federated.keys().filter(|td| !before.contains(*td));
        let mut wanted: HashSet<TrustDomain> = newly.cloned().collect();
        wanted.extend(bundles.iter().filter(|td| self.follows(td)).cloned());
        for td in wanted {
            match snapshot.bundle(&td) {
                Some(bundle) => difference.bundles.push(bundle.clone()),
                None => difference.deleted_bundles.push(td),
            }
        }
        difference.deleted_bundles.extend(before.into_iter().filter(|td| !self.federated.contains_key(td)));
        difference
    }

    fn hold(&mut self, entry: Arc<Entry>) {
        for td in &entry.federates_with {
            *self.federated.entry(td.clone()).or_default() += 1;
        }
        self.digest.add(entry.id.as_str(), entry.revision);
        self.held.insert(entry.id.clone(), entry);
    }

    fn release(&mut self, id: &EntryId) -> bool {
        let Some(old) = self.held.remove(id) else { return false };
        for td in &old.federates_with {
            if let Some(count) = self.federated.get_mut(td) {
                *count -= 1;
                if *count == 0 {
                    self.federated.remove(td);
                }
            }
        }
        self.digest.remove(id.as_str(), old.revision);
        true
    }
}

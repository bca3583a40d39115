use std::sync::Arc;

use rpds::{HashTrieMapSync, RedBlackTreeMapSync, RedBlackTreeSetSync};
use spiffe::bundle::Bundle;
use spiffe::{SpiffeId, TrustDomain};

use crate::{Agent, Change, Cursor, Entry, EntryId, Journal, Relationship, Row, RowKey, Selector};

/// Set of rows by their `ord`, in order of creation.
type Ords = RedBlackTreeSetSync<u64>;

/// Entries by their `ord`, in order of creation.
type Entries = RedBlackTreeMapSync<u64, Arc<Entry>>;

/// The registry at one number, immutable and indexed. Cloning is cheap; a changed clone shares all that did not
/// change, so that applying k changes costs k and readers of the old one are undisturbed.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    cursor: Cursor,
    entries: Entries,
    entry_ords: HashTrieMapSync<EntryId, u64>,
    by_spiffe_id: HashTrieMapSync<SpiffeId, Ords>,
    /// The entries themselves, since an agent asks for all of a parent's at once.
    by_parent: HashTrieMapSync<SpiffeId, Entries>,
    /// Node aliases alone, by each of their selectors: asked for with a node's selectors.
    aliases_by_selector: HashTrieMapSync<Selector, Ords>,
    agents: RedBlackTreeMapSync<u64, Arc<Agent>>,
    agent_ords: HashTrieMapSync<SpiffeId, u64>,
    agents_by_selector: HashTrieMapSync<Selector, Ords>,
    bundles: RedBlackTreeMapSync<TrustDomain, Arc<Bundle>>,
    journals: RedBlackTreeMapSync<String, Arc<Journal>>,
    relationships: RedBlackTreeMapSync<TrustDomain, Arc<Relationship>>,
}

/// Why a change could not be applied.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ApplyError {
    /// The change is not the next one: something was missed, and the snapshot must be caught up first.
    #[error("change {got} does not follow {at}: changes between them were missed")]
    Gap {
        /// Where the snapshot stands.
        at: u64,
        /// The change that came.
        got: u64,
    },
}

impl Snapshot {
    /// A registry in which nothing has happened.
    pub fn empty() -> Self {
        Self::default()
    }

    /// How far this snapshot goes.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Declares that the rows put in so far are the registry at `cursor`: the end of a load.
    pub fn at(mut self, cursor: Cursor) -> Self {
        self.cursor = cursor;
        self
    }

    /// Puts a row in, replacing what it had of that name: for loading.
    pub fn put(&mut self, row: Row) {
        match row {
            Row::Entry(entry) => self.put_entry(entry),
            Row::Agent(agent) => self.put_agent(agent),
            Row::Bundle(bundle) => self.bundles.insert_mut(bundle.trust_domain().clone(), bundle),
            Row::Journal(journal) => self.journals.insert_mut(journal.id.clone(), journal),
            Row::Relationship(row) => self.relationships.insert_mut(row.trust_domain.clone(), row),
        }
    }

    /// Moves one step. The change must be the next one. Its row may be of a later number (rows are read when the
    /// change is, not when it was made); then later changes find it in place already, which does no harm.
    pub fn apply(&mut self, change: &Change) -> Result<(), ApplyError> {
        if change.cursor.number != self.cursor.number + 1 {
            return Err(ApplyError::Gap { at: self.cursor.number, got: change.cursor.number });
        }
        match (&change.key, &change.row) {
            (_, Some(row)) => self.put(row.clone()),
            (RowKey::Entry(id), None) => self.remove_entry(id),
            (RowKey::Agent(id), None) => self.remove_agent(id),
            (RowKey::Bundle(td), None) => {
                self.bundles.remove_mut(td);
            }
            (RowKey::Journal(id), None) => {
                self.journals.remove_mut(id);
            }
            (RowKey::Relationship(td), None) => {
                self.relationships.remove_mut(td);
            }
            (RowKey::Token, None) => {}
        }
        self.cursor = change.cursor;
        Ok(())
    }

    /// The entry of that name.
    pub fn entry(&self, id: &EntryId) -> Option<&Arc<Entry>> {
        self.entries.get(self.entry_ords.get(id)?)
    }

    /// All entries whose `ord` is above `after`, in order of creation.
    pub fn entries_after(&self, after: u64) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.range(after.saturating_add(1)..).map(|(_, entry)| entry)
    }

    /// How many entries there are.
    pub fn entry_count(&self) -> usize {
        self.entries.size()
    }

    /// The entries that give this identity, in order of creation.
    pub fn entries_of<'a>(&'a self, id: &SpiffeId) -> impl Iterator<Item = &'a Arc<Entry>> + use<'a> {
        self.in_order(self.by_spiffe_id.get(id))
    }

    /// The entries under this parent, in order of creation.
    pub fn entries_under<'a>(&'a self, parent: &SpiffeId) -> impl Iterator<Item = &'a Arc<Entry>> + use<'a> {
        self.by_parent.get(parent).into_iter().flat_map(|entries| entries.values())
    }

    /// The node aliases that ask for this selector, among others perhaps.
    pub(crate) fn aliases_with<'a>(
        &'a self,
        one: &Selector,
    ) -> impl Iterator<Item = &'a Arc<Entry>> + use<'a> {
        self.in_order(self.aliases_by_selector.get(one))
    }

    /// The agents that have this selector.
    pub(crate) fn agents_with<'a>(
        &'a self,
        one: &Selector,
    ) -> impl Iterator<Item = &'a Arc<Agent>> + use<'a> {
        self.agents_by_selector
            .get(one)
            .into_iter()
            .flat_map(|ords| ords.iter())
            .filter_map(|ord| self.agents.get(ord))
    }

    /// How many agents have this selector.
    pub(crate) fn agents_with_count(&self, one: &Selector) -> usize {
        self.agents_by_selector.get(one).map_or(0, |ords| ords.size())
    }

    /// The entry that counts as the same as `entry` and has another name, if there is one.
    pub fn similar(&self, entry: &Entry) -> Option<&Arc<Entry>> {
        self.entries_of(&entry.spiffe_id).find(|other| other.id != entry.id && other.is_similar(entry))
    }

    /// The agent of that SPIFFE ID.
    pub fn agent(&self, id: &SpiffeId) -> Option<&Arc<Agent>> {
        self.agents.get(self.agent_ords.get(id)?)
    }

    /// All agents whose `ord` is above `after`, in order of attestation.
    pub fn agents_after(&self, after: u64) -> impl Iterator<Item = &Arc<Agent>> {
        self.agents.range(after.saturating_add(1)..).map(|(_, agent)| agent)
    }

    /// How many agents there are.
    pub fn agent_count(&self) -> usize {
        self.agents.size()
    }

    /// The bundle of a trust domain, the own one included.
    pub fn bundle(&self, td: &TrustDomain) -> Option<&Arc<Bundle>> {
        self.bundles.get(td)
    }

    /// All bundles by trust domain.
    pub fn bundles(&self) -> impl Iterator<Item = &Arc<Bundle>> {
        self.bundles.values()
    }

    /// How a foreign trust domain's bundle is followed, if it is.
    pub fn relationship(&self, td: &TrustDomain) -> Option<&Arc<Relationship>> {
        self.relationships.get(td)
    }

    /// All federation relationships by trust domain.
    pub fn relationships(&self) -> impl Iterator<Item = &Arc<Relationship>> {
        self.relationships.values()
    }

    /// All servers' authorities.
    pub fn journals(&self) -> impl Iterator<Item = &Arc<Journal>> {
        self.journals.values()
    }

    fn in_order<'a>(&'a self, ords: Option<&'a Ords>) -> impl Iterator<Item = &'a Arc<Entry>> + use<'a> {
        ords.into_iter().flat_map(|ords| ords.iter()).filter_map(|ord| self.entries.get(ord))
    }

    fn put_entry(&mut self, entry: Arc<Entry>) {
        if let Some(old) = self.entry(&entry.id).cloned() {
            if old == entry {
                return;
            }
            self.unindex_entry(&old);
        }
        index(&mut self.by_spiffe_id, &entry.spiffe_id, entry.ord);
        match self.by_parent.get_mut(&entry.parent_id) {
            Some(entries) => entries.insert_mut(entry.ord, entry.clone()),
            None => {
                let entries = Entries::new_sync().insert(entry.ord, entry.clone());
                self.by_parent.insert_mut(entry.parent_id.clone(), entries);
            }
        }
        if entry.is_alias() {
            for selector in &entry.selectors {
                index(&mut self.aliases_by_selector, selector, entry.ord);
            }
        }
        self.entry_ords.insert_mut(entry.id.clone(), entry.ord);
        self.entries.insert_mut(entry.ord, entry);
    }

    fn remove_entry(&mut self, id: &EntryId) {
        if let Some(old) = self.entry(id).cloned() {
            self.unindex_entry(&old);
            self.entry_ords.remove_mut(id);
            self.entries.remove_mut(&old.ord);
        }
    }

    fn unindex_entry(&mut self, old: &Entry) {
        unindex(&mut self.by_spiffe_id, &old.spiffe_id, old.ord);
        if let Some(entries) = self.by_parent.get_mut(&old.parent_id) {
            entries.remove_mut(&old.ord);
            if entries.is_empty() {
                self.by_parent.remove_mut(&old.parent_id);
            }
        }
        if old.is_alias() {
            for selector in &old.selectors {
                unindex(&mut self.aliases_by_selector, selector, old.ord);
            }
        }
        if self.entries.get(&old.ord).is_some_and(|now| now.id == old.id) {
            self.entries.remove_mut(&old.ord);
        }
    }

    fn put_agent(&mut self, agent: Arc<Agent>) {
        self.remove_agent(&agent.id.clone());
        for selector in &agent.selectors {
            index(&mut self.agents_by_selector, selector, agent.ord);
        }
        self.agent_ords.insert_mut(agent.id.clone(), agent.ord);
        self.agents.insert_mut(agent.ord, agent);
    }

    fn remove_agent(&mut self, id: &SpiffeId) {
        if let Some(old) = self.agent(id).cloned() {
            for selector in &old.selectors {
                unindex(&mut self.agents_by_selector, selector, old.ord);
            }
            self.agent_ords.remove_mut(id);
            self.agents.remove_mut(&old.ord);
        }
    }
}

fn index<K: Clone + Eq + std::hash::Hash>(map: &mut HashTrieMapSync<K, Ords>, key: &K, ord: u64) {
    match map.get_mut(key) {
        Some(ords) => ords.insert_mut(ord),
        None => map.insert_mut(key.clone(), Ords::new_sync().insert(ord)),
    }
}

fn unindex<K: Clone + Eq + std::hash::Hash>(map: &mut HashTrieMapSync<K, Ords>, key: &K, ord: u64) {
    if let Some(ords) = map.get_mut(key) {
        ords.remove_mut(&ord);
        if ords.is_empty() {
            map.remove_mut(key);
        }
    }
}

#[cfg(test)]
mod tests;

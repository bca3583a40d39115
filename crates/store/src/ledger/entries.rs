//! Writes to registration entries.

use std::sync::Arc;

use model::{Entry, EntryId, Footprint, RowKey, WriteFault};
use spiffe::TrustDomain;

use super::Ledger;
use crate::code::likeness;

impl Ledger {
    pub(super) fn create_entry(&mut self, mut entry: Entry) -> Result<(), WriteFault> {
        // The likeness first: SPIRE 1.16 answers with the similar entry, even when it has the same id.
        self.admit(&entry, |_| true)?;
        if self.entries.has(&entry.id) {
            return Err(WriteFault::Exists("entry"));
        }
        entry.ord = self.next();
        self.put_entry(None, entry);
        Ok(())
    }

    pub(super) fn update_entry(&mut self, mut entry: Entry, was: i64) -> Result<(), WriteFault> {
        let Some(old) = self.entries.get(&entry.id).cloned() else {
            return Err(WriteFault::NotFound("entry"));
        };
        if old.revision != was {
            return Err(WriteFault::Conflict("entry"));
        }
        self.admit(&entry, |similar| *similar != entry.id)?;
        entry.ord = old.ord;
        entry.created_at = old.created_at;
        entry.revision = old.revision.saturating_add(1);
        self.put_entry(Some(&old), entry);
        Ok(())
    }

    pub(super) fn delete_entry(&mut self, id: &EntryId) -> Result<(), WriteFault> {
        let Some(old) = self.entries.get(id).cloned() else { return Err(WriteFault::NotFound("entry")) };
        self.likenesses.set(likeness(&old), None);
        self.entries.set(id.clone(), None);
        self.step(RowKey::Entry(id.clone()), Some(footprint(&old)), None);
        Ok(())
    }

    /// The entries that federate with `td`, in order of creation.
    pub(super) fn federating(&self, td: &TrustDomain) -> Vec<Arc<Entry>> {
        let mut found: Vec<_> = self
            .entries
            .rows()
            .filter(|(_, e)| e.federates_with.contains(td))
            .map(|(_, e)| e.clone())
            .collect();
        found.sort_by_key(|entry| entry.ord);
        found
    }

    /// The entry federates with `td` no longer.
    pub(super) fn dissociate(&mut self, old: &Arc<Entry>, td: &TrustDomain) {
        let mut entry = Entry::clone(old);
        entry.federates_with.retain(|other| other != td);
        entry.revision = old.revision.saturating_add(1);
        self.put_entry(Some(old), entry);
    }

    /// Whether nothing else stands in the way of an entry; `rival` says which similar entry would.
    fn admit(&self, entry: &Entry, rival: impl Fn(&EntryId) -> bool) -> Result<(), WriteFault> {
        if let Some(similar) = self.likenesses.get(&likeness(entry)).filter(|id| rival(id)) {
            return Err(WriteFault::SimilarEntry(similar.clone()));
        }
        match entry.federates_with.iter().find(|td| !self.bundles.has(td)) {
            Some(missing) => Err(WriteFault::NoBundle(missing.clone())),
            None => Ok(()),
        }
    }

    fn put_entry(&mut self, old: Option<&Entry>, entry: Entry) {
        if let Some(old) = old {
            self.likenesses.set(likeness(old), None);
        }
        self.likenesses.set(likeness(&entry), Some(entry.id.clone()));
        let (id, is) = (entry.id.clone(), footprint(&entry));
        self.entries.set(id.clone(), Some(Arc::new(entry)));
        self.step(RowKey::Entry(id), old.map(footprint), Some(is));
    }
}

fn footprint(entry: &Entry) -> Footprint {
    Footprint {
        spiffe_id: Some(entry.spiffe_id.clone()),
        parent_id: Some(entry.parent_id.clone()),
        selectors: entry.selectors.clone(),
    }
}

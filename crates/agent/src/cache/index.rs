//! Finding entries by what a process has, and views by what an entry asks for.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use model::{Selector, Selectors};

/// Entries by one selector each: the one that the fewest others were filed under, so that a selector which all entries
/// share (`unix:uid:0`) costs nothing where another tells them apart.
#[derive(Default)]
pub(super) struct EntryIndex(HashMap<Selector, BTreeSet<Arc<str>>>);

impl EntryIndex {
    /// Files an entry and says under what.
    pub(super) fn add(&mut self, id: &Arc<str>, selectors: &Selectors) -> Option<Selector> {
        let load = |one: &&Selector| self.0.get(*one).map_or(0, BTreeSet::len);
        let under = selectors.iter().min_by_key(load)?.clone();
        self.0.entry(under.clone()).or_default().insert(id.clone());
        Some(under)
    }

    /// Takes an entry out again.
    pub(super) fn remove(&mut self, id: &str, under: &Selector) {
        let Some(ids) = self.0.get_mut(under) else { return };
        ids.remove(id);
        if ids.is_empty() {
            self.0.remove(under);
        }
    }

    /// Entries that a process with these selectors may have; each is to be looked at.
    pub(super) fn candidates<'a>(&'a self, has: &'a Selectors) -> impl Iterator<Item = &'a Arc<str>> {
        has.iter().filter_map(|one| self.0.get(one)).flatten()
    }
}

/// Views by each of their selectors.
#[derive(Default)]
pub(super) struct ViewIndex(HashMap<Selector, HashSet<Selectors>>);

impl ViewIndex {
    pub(super) fn add(&mut self, view: &Selectors) {
        for one in view {
            self.0.entry(one.clone()).or_default().insert(view.clone());
        }
    }

    pub(super) fn remove(&mut self, view: &Selectors) {
        for one in view {
            if let Some(views) = self.0.get_mut(one) {
                views.remove(view);
                if views.is_empty() {
                    self.0.remove(one);
                }
            }
        }
    }

    /// The views that an entry with these selectors belongs to.
    pub(super) fn concerned<'a>(&'a self, entry: &'a Selectors) -> impl Iterator<Item = &'a Selectors> {
        let fewest =
            entry.iter().map(|one| self.0.get(one)).min_by_key(|views| views.map_or(0, HashSet::len));
        fewest.flatten().into_iter().flatten().filter(|view| entry.is_subset(view))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(all: &[&str]) -> Selectors {
        all.iter().map(|one| Selector::parse(one).unwrap()).collect()
    }

    #[test]
    fn an_entry_is_filed_under_its_rarest_selector() {
        let mut index = EntryIndex::default();
        let ids: Vec<Arc<str>> = ["a", "b", "c"].map(Arc::from).to_vec();
        for (id, own) in ids.iter().zip(["u:1", "u:2", "u:3"]) {
            index.add(id, &set(&["a:shared", own]));
        }
        // only the first could be filed under what all share
        assert!(index.candidates(&set(&["a:shared"])).count() <= 1);
        assert_eq!(index.candidates(&set(&["a:shared", "u:2"])).filter(|id| &***id == "b").count(), 1);
    }

    #[test]
    fn an_entry_concerns_the_views_that_have_all_it_asks_for() {
        let mut index = ViewIndex::default();
        index.add(&set(&["u:1", "g:1"]));
        index.add(&set(&["u:1", "g:2"]));
        assert_eq!(index.concerned(&set(&["u:1"])).count(), 2);
        assert_eq!(index.concerned(&set(&["u:1", "g:2"])).count(), 1);
        assert_eq!(index.concerned(&set(&["u:2"])).count(), 0);
        index.remove(&set(&["u:1", "g:2"]));
        assert_eq!(index.concerned(&set(&["u:1"])).count(), 1);
    }
}

//! A table's rows as stored and as a batch leaves them, with a way back.

use std::collections::HashMap;
use std::hash::Hash;

pub(crate) struct Table<K, V> {
    stored: HashMap<K, V>,
    /// What the batch says of a row; rows that it has not touched are not here.
    now: HashMap<K, Option<V>>,
    /// What `now` said before each `set`, for going back.
    undo: Vec<(K, Option<Option<V>>)>,
}

/// A row that the batch leaves otherwise than it was stored.
pub(crate) struct Edit<'a, K, V> {
    pub(crate) key: &'a K,
    pub(crate) stored: Option<&'a V>,
    pub(crate) now: Option<&'a V>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { stored: HashMap::new(), now: HashMap::new(), undo: Vec::new() }
    }
}

impl<K: Eq + Hash + Clone, V: PartialEq + Clone> Table<K, V> {
    /// Learns a stored row.
    pub(crate) fn know(&mut self, key: K, row: V) {
        self.stored.insert(key, row);
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        match self.now.get(key) {
            Some(row) => row.as_ref(),
            None => self.stored.get(key),
        }
    }

    pub(crate) fn has(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn set(&mut self, key: K, row: Option<V>) {
        let before = self.now.insert(key.clone(), row);
        self.undo.push((key, before));
    }

    /// The rows that are there now.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&K, &V)> {
        let untouched = self.stored.iter().filter(|(key, _)| !self.now.contains_key(key));
        let touched = self.now.iter().filter_map(|(key, row)| Some((key, row.as_ref()?)));
        untouched.chain(touched)
    }

    /// What there is to store.
    pub(crate) fn edits(&self) -> impl Iterator<Item = Edit<'_, K, V>> {
        let edit = |(key, now)| Edit { key, stored: self.stored.get(key), now: Option::as_ref(now) };
        self.now.iter().map(edit).filter(|edit| edit.stored != edit.now)
    }

    /// A point to come back to.
    pub(super) fn mark(&self) -> usize {
        self.undo.len()
    }

    pub(super) fn undo_to(&mut self, mark: usize) {
        while self.undo.len() > mark {
            let Some((key, before)) = self.undo.pop() else { return };
            match before {
                Some(row) => self.now.insert(key, row),
                None => self.now.remove(&key),
            };
        }
    }
}

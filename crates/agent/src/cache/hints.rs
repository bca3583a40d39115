//! A hint names one identity: of two entries with the same, the older is kept (SPIRE 1.16).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::entry::Entry;

/// The entries without those whose hint an older one has, in the same order.
pub(crate) fn unique(entries: Vec<Arc<Entry>>) -> Vec<Arc<Entry>> {
    let mut keep: HashMap<&str, &Arc<Entry>> = HashMap::new();
    let mut drop: HashSet<Arc<str>> = HashSet::new();
    for entry in entries.iter().filter(|entry| !entry.hint.is_empty()) {
        let Some(other) = keep.get_mut(entry.hint.as_str()) else {
            keep.insert(&entry.hint, entry);
            continue;
        };
        let newer = match age(entry) < age(other) {
            true => std::mem::replace(other, entry),
            false => entry,
        };
        tracing::warn!(hint = newer.hint, entry_id = &*newer.id, "Ignoring entry with duplicate hint");
        drop.insert(newer.id.clone());
    }
    if drop.is_empty() {
        entries
    } else {
        entries.into_iter().filter(|entry| !drop.contains(&entry.id)).collect()
    }
}

fn age(entry: &Entry) -> (i64, &str) {
    (entry.created_at, &entry.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::testing::entry;

    #[test]
    fn of_two_entries_with_one_hint_the_older_is_kept() {
        let make = |id: &str, hint: &str, created_at| {
            Arc::new(Entry { hint: hint.to_owned(), created_at, ..entry(id, "/w", &["u:1"]) })
        };
        let kept = unique(vec![
            make("a", "x", 3),
            make("b", "x", 1),
            make("c", "", 2),
            make("d", "", 2),
            make("e", "x", 2),
        ]);
        assert_eq!(kept.iter().map(|entry| &*entry.id).collect::<Vec<_>>(), ["b", "c", "d"]);
    }

    #[test]
    fn of_two_as_old_the_one_with_the_smaller_id_is_kept() {
        let make = |id: &str| Arc::new(Entry { hint: "x".to_owned(), ..entry(id, "/w", &["u:1"]) });
        assert_eq!(unique(vec![make("b"), make("a")])[0].id.as_ref(), "a");
    }
}

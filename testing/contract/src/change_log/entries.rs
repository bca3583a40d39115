//! Registration entries.

use std::sync::Arc;

use model::ports::ChangeLog;
use model::{Entry, EntryId, Expect, Footprint, Row, Selector, Selectors, UnixTime, Write, WriteFault};

use super::asked::{batch, done, loaded, refused, row};
use super::sample::{bundle, entry, entry_id, full_entry, id, selectors, td};

fn create(entry: Entry) -> Write {
    Write::CreateEntry(entry)
}

async fn stored(log: &dyn ChangeLog, name: &str) -> Option<Arc<Entry>> {
    loaded(log).await.entry(&entry_id(name)).cloned()
}

async fn with_bundles(log: &dyn ChangeLog, names: &[&str]) {
    for name in names {
        done(log, Write::PutBundle { bundle: bundle(name), expect: Expect::Any }).await;
    }
}

/// What is stored is what was written, in the answer, in later changes and in a load.
pub async fn an_entry_keeps_all_its_fields(log: &dyn ChangeLog) {
    with_bundles(log, &["one.test", "two.test"]).await;
    for entry in [full_entry("full"), entry("plain")] {
        let changes = done(log, create(entry.clone())).await;
        let ord = changes.first().expect("a change").cursor.number;
        let wanted = Entry { ord, ..entry.clone() };
        assert_eq!(row(&changes), Row::Entry(Arc::new(wanted.clone())));
        assert_eq!(stored(log, entry.id.as_str()).await.as_deref(), Some(&wanted));
    }
}

/// `ord` is the store's to give, and an update keeps it.
pub async fn an_entry_is_ordered_by_the_number_of_its_creation(log: &dyn ChangeLog) {
    for (name, claimed) in [("z", 0), ("a", 99), ("m", 1)] {
        done(log, create(Entry { ord: claimed, ..entry(name) })).await;
    }
    let update = Entry { hint: "new".to_owned(), ord: 77, created_at: UnixTime(5), ..entry("z") };
    let Row::Entry(updated) = row(&done(log, Write::UpdateEntry { entry: update, was: 0 }).await) else {
        panic!()
    };
    assert_eq!((updated.ord, updated.created_at), (1, entry("z").created_at));
    let snapshot = loaded(log).await;
    let listed: Vec<_> = snapshot.entries_after(0).map(|e| (e.id.as_str(), e.ord)).collect();
    assert_eq!(listed, [("z", 1), ("a", 2), ("m", 3)]);
}

/// The refusal names the entry that is there, whatever else differs.
pub async fn a_similar_entry_is_refused_by_name(log: &dyn ChangeLog) {
    let first = Entry { selectors: selectors(&["a:1", "b:2"]), ..entry("one") };
    done(log, create(first.clone())).await;
    let again = Entry {
        id: entry_id("other"),
        selectors: selectors(&["b:2", "a:1", "a:1"]),
        admin: true,
        hint: "different".to_owned(),
        ..first.clone()
    };
    assert_eq!(refused(log, create(again)).await, WriteFault::SimilarEntry(entry_id("one")));
    assert_eq!(refused(log, create(first)).await, WriteFault::SimilarEntry(entry_id("one")));
}

/// Each part of the likeness counts.
pub async fn an_entry_that_differs_in_one_selector_is_another(log: &dyn ChangeLog) {
    let base = Entry { selectors: selectors(&["a:1", "b:2"]), ..entry("base") };
    let other = |name: &str| Entry { id: entry_id(name), ..base.clone() };
    done(log, create(base.clone())).await;
    done(log, create(Entry { selectors: selectors(&["a:1"]), ..other("fewer") })).await;
    done(log, create(Entry { selectors: selectors(&["a:1", "b:2", "c:3"]), ..other("more") })).await;
    done(log, create(Entry { selectors: selectors(&["a:1", "b:3"]), ..other("other-selector") })).await;
    done(log, create(Entry { parent_id: id("/spire/server"), ..other("other-parent") })).await;
    done(log, create(Entry { spiffe_id: id("/elsewhere"), ..other("other-id") })).await;
    assert_eq!(loaded(log).await.entry_count(), 6);
}

/// A value may hold what separates selectors elsewhere.
pub async fn selectors_that_print_alike_are_not_confused(log: &dyn ChangeLog) {
    let odd: Selectors = std::iter::once(Selector::new("a", "1\0b:2").expect("a selector")).collect();
    done(log, create(Entry { selectors: odd, ..entry("one") })).await;
    let plain = Entry { id: entry_id("two"), selectors: selectors(&["a:1", "b:2"]), ..entry("one") };
    done(log, create(plain)).await;
}

/// Ids are unique.
pub async fn an_entry_id_is_taken_once(log: &dyn ChangeLog) {
    done(log, create(entry("one"))).await;
    let other = Entry { spiffe_id: id("/other"), ..entry("one") };
    assert_eq!(refused(log, create(other)).await, WriteFault::Exists("entry"));
}

/// Lost updates are noticed.
pub async fn an_update_replaces_the_revision_it_was_computed_from(log: &dyn ChangeLog) {
    done(log, create(entry("one"))).await;
    let update = |was| Write::UpdateEntry { entry: Entry { hint: format!("{was}"), ..entry("one") }, was };
    for was in 0..3 {
        let Row::Entry(updated) = row(&done(log, update(was)).await) else { panic!() };
        assert_eq!((updated.revision, updated.hint.as_str()), (was + 1, was.to_string().as_str()));
        assert_eq!(refused(log, update(was)).await, WriteFault::Conflict("entry"));
    }
    assert_eq!(refused(log, update(9)).await, WriteFault::Conflict("entry"));
    assert_eq!(stored(log, "one").await.expect("stored").revision, 3);
}

/// An update makes nothing.
pub async fn an_update_of_no_entry_is_not_found(log: &dyn ChangeLog) {
    let update = Write::UpdateEntry { entry: entry("one"), was: 0 };
    assert_eq!(refused(log, update).await, WriteFault::NotFound("entry"));
}

/// The rule of creation holds for updates.
pub async fn an_update_must_not_make_an_entry_similar(log: &dyn ChangeLog) {
    done(log, create(entry("one"))).await;
    done(log, create(entry("two"))).await;
    let like_one = Entry { id: entry_id("two"), ..entry("one") };
    let update = Write::UpdateEntry { entry: like_one, was: 0 };
    assert_eq!(refused(log, update).await, WriteFault::SimilarEntry(entry_id("one")));
    let unknown_bundle = Entry { federates_with: vec![td("none.test")], ..entry("two") };
    let update = Write::UpdateEntry { entry: unknown_bundle, was: 0 };
    assert_eq!(refused(log, update).await, WriteFault::NoBundle(td("none.test")));
}

/// An entry is not in its own way.
pub async fn an_update_may_leave_the_likeness(log: &dyn ChangeLog) {
    done(log, create(entry("one"))).await;
    done(log, Write::UpdateEntry { entry: Entry { admin: true, ..entry("one") }, was: 0 }).await;
    assert!(stored(log, "one").await.expect("stored").admin);
}

/// The database's unique index must not see an order that the callers did not write in.
pub async fn a_likeness_moves_between_entries_in_one_batch(log: &dyn ChangeLog) {
    let like = |name: &str, likeness: &str| Entry { id: entry_id(name), ..entry(likeness) };
    let update = |entry, was| Write::UpdateEntry { entry, was };
    done(log, create(entry("a"))).await;
    done(log, create(entry("b"))).await;
    let answers = batch(
        log,
        vec![
            update(like("a", "free"), 0),
            update(like("b", "a"), 0),
            update(like("a", "b"), 1),
            create(like("c", "free")),
        ],
    )
    .await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    for (name, likeness) in [("a", "/b"), ("b", "/a"), ("c", "/free")] {
        assert_eq!(stored(log, name).await.expect("stored").spiffe_id, id(likeness), "of {name}");
    }
}

/// Deleting twice is noticed.
pub async fn a_deleted_entry_is_gone(log: &dyn ChangeLog) {
    done(log, create(entry("one"))).await;
    let changes = done(log, Write::DeleteEntry(entry_id("one"))).await;
    assert!(
        matches!(changes.as_slice(), [change] if change.row.is_none() && change.is.is_none()),
        "{changes:?}"
    );
    assert_eq!(stored(log, "one").await, None);
    assert_eq!(refused(log, Write::DeleteEntry(entry_id("one"))).await, WriteFault::NotFound("entry"));
}

/// The same entry can be made again, and is a new one.
pub async fn a_deleted_entry_leaves_its_id_and_likeness(log: &dyn ChangeLog) {
    done(log, create(entry("one"))).await;
    done(log, create(entry("two"))).await;
    done(log, Write::DeleteEntry(entry_id("one"))).await;
    done(log, create(entry("one"))).await;
    assert_eq!(stored(log, "one").await.expect("stored").ord, 4);
    let answers = batch(log, vec![Write::DeleteEntry(entry_id("two")), create(entry("two"))]).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(stored(log, "two").await.expect("stored").ord, 6);
}

/// So that readers know whom the change concerns, before and after.
pub async fn entry_changes_tell_parents_and_selectors(log: &dyn ChangeLog) {
    let before = entry("one");
    let after = Entry { parent_id: id("/spire/server"), selectors: selectors(&["x:y"]), ..before.clone() };
    let print = |entry: &Entry| {
        Some(Footprint {
            spiffe_id: Some(entry.spiffe_id.clone()),
            parent_id: Some(entry.parent_id.clone()),
            selectors: entry.selectors.clone(),
        })
    };
    let mut changes = done(log, create(before.clone())).await;
    changes.extend(done(log, Write::UpdateEntry { entry: after.clone(), was: 0 }).await);
    changes.extend(done(log, Write::DeleteEntry(EntryId::clone(&before.id))).await);
    let found: Vec<_> = changes.into_iter().map(|change| (change.was, change.is)).collect();
    assert_eq!(found, [(None, print(&before)), (print(&before), print(&after)), (print(&after), None)]);
}

/// SPIRE 1.16 refuses the entry by the first bundle that is missing.
pub async fn an_entry_federates_with_stored_bundles_alone(log: &dyn ChangeLog) {
    with_bundles(log, &["one.test"]).await;
    let missing = refused(log, create(full_entry("one"))).await;
    assert_eq!(missing, WriteFault::NoBundle(td("two.test")));
    with_bundles(log, &["two.test"]).await;
    done(log, create(full_entry("one"))).await;
}

/// Within a batch the bundle may come first.
pub async fn an_entry_may_federate_with_a_bundle_of_its_batch(log: &dyn ChangeLog) {
    let put = Write::PutBundle { bundle: bundle("one.test"), expect: Expect::Absent };
    let entry = Entry { federates_with: vec![td("one.test")], ..entry("one") };
    let answers = batch(log, vec![create(entry.clone()), put, create(entry)]).await;
    let done: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(done, [false, true, true]);
}

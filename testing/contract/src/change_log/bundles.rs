//! Bundles, and journals, which are as simple.

use std::sync::Arc;

use model::ports::ChangeLog;
use model::{DissociateMode, Entry, Expect, Row, RowKey, Write, WriteFault};
use spiffe::bundle::Bundle;

use super::asked::{done, loaded, refused, row};
use super::sample::{bundle, entry, entry_id, full_bundle, full_entry, journal, td};

fn put(bundle: Bundle, expect: Expect) -> Write {
    Write::PutBundle { bundle, expect }
}

fn delete(name: &str, mode: DissociateMode) -> Write {
    Write::DeleteBundle { trust_domain: td(name), mode }
}

/// Two bundles, one entry that federates with both and one with none.
async fn federation(log: &dyn ChangeLog) {
    done(log, put(bundle("one.test"), Expect::Absent)).await;
    done(log, put(bundle("two.test"), Expect::Absent)).await;
    done(log, Write::CreateEntry(full_entry("both"))).await;
    done(log, Write::CreateEntry(entry("none"))).await;
}

/// What is stored is what was written.
pub async fn a_bundle_keeps_all_its_fields(log: &dyn ChangeLog) {
    for bundle in [full_bundle("full.test"), bundle("empty.test")] {
        let changes = done(log, put(bundle.clone(), Expect::Absent)).await;
        assert_eq!(row(&changes), Row::Bundle(Arc::new(bundle.clone())));
        let snapshot = loaded(log).await;
        let stored = snapshot.bundle(bundle.trust_domain()).expect("stored");
        assert_eq!(stored.sequence, bundle.sequence);
        assert_eq!(stored.refresh_hint, bundle.refresh_hint);
        assert_eq!(stored.x509_authorities(), bundle.x509_authorities());
        assert_eq!(stored.jwt_authorities(), bundle.jwt_authorities());
        assert_eq!(stored.wit_authorities(), bundle.wit_authorities());
    }
}

/// What is expected is the sequence number.
pub async fn a_bundle_is_replaced_as_expected_or_not_at_all(log: &dyn ChangeLog) {
    let numbered = |sequence| {
        let mut bundle = bundle("one.test");
        bundle.sequence = sequence;
        bundle
    };
    assert_eq!(refused(log, put(numbered(1), Expect::Revision(1))).await, WriteFault::NotFound("bundle"));
    done(log, put(numbered(5), Expect::Absent)).await;
    assert_eq!(refused(log, put(numbered(6), Expect::Absent)).await, WriteFault::Exists("bundle"));
    assert_eq!(refused(log, put(numbered(6), Expect::Revision(4))).await, WriteFault::Conflict("bundle"));
    done(log, put(numbered(6), Expect::Revision(5))).await;
    done(log, put(numbered(2), Expect::Any)).await;
    assert_eq!(loaded(log).await.bundle(&td("one.test")).expect("stored").sequence, 2);
}

/// `restrict`
pub async fn a_bundle_in_use_is_kept(log: &dyn ChangeLog) {
    federation(log).await;
    let fault = refused(log, delete("one.test", DissociateMode::Restrict)).await;
    assert_eq!(fault, WriteFault::BundleInUse(1));
    assert!(loaded(log).await.bundle(&td("one.test")).is_some());
    done(log, Write::DeleteEntry(entry_id("both"))).await;
    done(log, delete("one.test", DissociateMode::Restrict)).await;
    assert!(loaded(log).await.bundle(&td("one.test")).is_none());
}

/// `delete`: the entries are changes before the bundle's.
pub async fn deleting_a_bundle_may_delete_entries(log: &dyn ChangeLog) {
    federation(log).await;
    let changes = done(log, delete("one.test", DissociateMode::Delete)).await;
    let keys: Vec<_> = changes.into_iter().map(|change| change.key).collect();
    assert_eq!(keys, [RowKey::Entry(entry_id("both")), RowKey::Bundle(td("one.test"))]);
    let snapshot = loaded(log).await;
    assert!(snapshot.entry(&entry_id("both")).is_none());
    assert!(snapshot.entry(&entry_id("none")).is_some());
    assert!(snapshot.bundle(&td("two.test")).is_some());
}

/// `dissociate`: the entries stay, and federate with the others still.
pub async fn deleting_a_bundle_may_dissociate_entries(log: &dyn ChangeLog) {
    federation(log).await;
    let changes = done(log, delete("one.test", DissociateMode::Dissociate)).await;
    let keys: Vec<_> = changes.into_iter().map(|change| change.key).collect();
    assert_eq!(keys, [RowKey::Entry(entry_id("both")), RowKey::Bundle(td("one.test"))]);
    let snapshot = loaded(log).await;
    let entry = snapshot.entry(&entry_id("both")).expect("it stays");
    assert_eq!(entry.federates_with, [td("two.test")]);
    assert_eq!((entry.revision, entry.ord), (1, 3));
    done(log, delete("two.test", DissociateMode::Dissociate)).await;
    let again = Entry { federates_with: vec![td("two.test")], ..super::sample::entry("later") };
    assert_eq!(refused(log, Write::CreateEntry(again)).await, WriteFault::NoBundle(td("two.test")));
}

/// Without entries the modes are the same; without a bundle it is not found.
pub async fn an_unused_bundle_is_deleted_in_every_mode(log: &dyn ChangeLog) {
    for mode in [DissociateMode::Restrict, DissociateMode::Delete, DissociateMode::Dissociate] {
        assert_eq!(refused(log, delete("one.test", mode)).await, WriteFault::NotFound("bundle"));
        done(log, put(bundle("one.test"), Expect::Absent)).await;
        assert_eq!(done(log, delete("one.test", mode)).await.len(), 1);
    }
}

/// The last one written stands.
pub async fn a_journal_is_replaced_and_removed(log: &dyn ChangeLog) {
    for data in [b"one".as_slice(), b"", &[0, 255]] {
        let changes = done(log, Write::PutJournal(journal("server", data))).await;
        assert_eq!(row(&changes), Row::Journal(Arc::new(journal("server", data))));
        let stored: Vec<_> = loaded(log).await.journals().map(|j| j.data.clone()).collect();
        assert_eq!(stored, [data]);
    }
    done(log, Write::DeleteJournal("server".to_owned())).await;
    assert_eq!(loaded(log).await.journals().count(), 0);
    let again = refused(log, Write::DeleteJournal("server".to_owned())).await;
    assert_eq!(again, WriteFault::NotFound("journal"));
}

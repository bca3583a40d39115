//! Federation relationships.

use std::sync::Arc;

use model::ports::ChangeLog;
use model::{Expect, Relationship, Row, Write, WriteFault};

use super::asked::{done, loaded, refused, row};
use super::sample::{bundle, relationship, spiffe_relationship, td};

fn put(relationship: Relationship, expect: Expect) -> Write {
    Write::PutRelationship { relationship, expect }
}

/// What is stored is what was written, with its place in the order of creation.
pub async fn a_relationship_keeps_all_its_fields(log: &dyn ChangeLog) {
    for new in [spiffe_relationship("one.test"), relationship("two.test")] {
        let changes = done(log, put(new.clone(), Expect::Absent)).await;
        let stored = Relationship { ord: changes[0].cursor.number, ..new };
        assert_eq!(row(&changes), Row::Relationship(Arc::new(stored.clone())));
        let snapshot = loaded(log).await;
        assert_eq!(snapshot.relationship(&stored.trust_domain).map(|found| &**found), Some(&stored));
    }
}

/// What is expected is the revision.
pub async fn a_relationship_is_replaced_as_expected_or_not_at_all(log: &dyn ChangeLog) {
    let (old, new) = (relationship("one.test"), spiffe_relationship("one.test"));
    let what = "federation relationship";
    assert_eq!(refused(log, put(old.clone(), Expect::Revision(0))).await, WriteFault::NotFound(what));
    done(log, put(old.clone(), Expect::Absent)).await;
    assert_eq!(refused(log, put(new.clone(), Expect::Absent)).await, WriteFault::Exists(what));
    assert_eq!(refused(log, put(new.clone(), Expect::Revision(7))).await, WriteFault::Conflict(what));
    done(log, put(new.clone(), Expect::Revision(0))).await;
    let snapshot = loaded(log).await;
    let found = snapshot.relationship(&td("one.test")).expect("stored");
    assert_eq!((found.ord, found.revision, &found.profile), (1, 1, &new.profile));
}

/// The bundle that it kept up to date is still good.
pub async fn a_deleted_relationship_is_gone_and_its_bundle_stays(log: &dyn ChangeLog) {
    done(log, Write::PutBundle { bundle: bundle("one.test"), expect: Expect::Absent }).await;
    done(log, put(relationship("one.test"), Expect::Absent)).await;
    done(log, Write::DeleteRelationship(td("one.test"))).await;
    let snapshot = loaded(log).await;
    assert_eq!(snapshot.relationships().count(), 0);
    assert!(snapshot.bundle(&td("one.test")).is_some());
    let again = refused(log, Write::DeleteRelationship(td("one.test"))).await;
    assert_eq!(again, WriteFault::NotFound("federation relationship"));
}

//! Short ways to ask a log; what must not fail panics with what came instead.

use model::ports::ChangeLog;
use model::{Change, Changes, Cursor, Row, Snapshot, Write, WriteFault};

/// Commits one write.
pub(super) async fn write(log: &dyn ChangeLog, write: Write) -> Result<Vec<Change>, WriteFault> {
    batch(log, vec![write]).await.pop().expect("one write has one answer")
}

/// Commits one write that must be done.
pub(super) async fn done(log: &dyn ChangeLog, one: Write) -> Vec<Change> {
    let shown = format!("{one:?}");
    write(log, one).await.unwrap_or_else(|fault| panic!("{shown} was refused: {fault}"))
}

/// Commits one write that must be refused, and checks that it used no number.
pub(super) async fn refused(log: &dyn ChangeLog, one: Write) -> WriteFault {
    let before = head(log).await;
    let shown = format!("{one:?}");
    let Err(fault) = write(log, one).await else { panic!("{shown} was done") };
    assert_eq!(head(log).await, before, "a refused write used a number");
    fault
}

pub(super) async fn batch(log: &dyn ChangeLog, writes: Vec<Write>) -> Vec<Result<Vec<Change>, WriteFault>> {
    let count = writes.len();
    let answers = log.commit(writes).await.expect("the log works");
    assert_eq!(answers.len(), count, "each write has an answer");
    answers
}

pub(super) async fn head(log: &dyn ChangeLog) -> Cursor {
    log.head().await.expect("the log works")
}

/// The changes after `cursor`, which must be of this history and kept.
pub(super) async fn after(log: &dyn ChangeLog, cursor: Cursor, limit: usize) -> Vec<Change> {
    match log.after(cursor, limit).await.expect("the log works") {
        Changes::Next(changes) => changes,
        other => panic!("instead of the changes after {cursor:?} came {other:?}"),
    }
}

/// The registry as the tables have it.
pub(super) async fn loaded(log: &dyn ChangeLog) -> Snapshot {
    let mut snapshot = Snapshot::empty();
    let cursor = log.load(&mut |row| snapshot.put(row)).await.expect("the log works");
    snapshot.at(cursor)
}

/// The single row of these changes.
pub(super) fn row(changes: &[Change]) -> Row {
    match changes {
        [Change { row: Some(row), .. }] => row.clone(),
        other => panic!("instead of one change with its row came {other:?}"),
    }
}

/// Everything a snapshot holds, for comparing two.
pub(super) fn contents(snapshot: &Snapshot) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        snapshot.cursor(),
        snapshot.entries_after(0).cloned().collect::<Vec<_>>(),
        snapshot.agents_after(0).cloned().collect::<Vec<_>>(),
        snapshot.bundles().cloned().collect::<Vec<_>>(),
        snapshot.journals().cloned().collect::<Vec<_>>(),
        snapshot.relationships().cloned().collect::<Vec<_>>(),
    )
}

/// What a reader makes of a log that follows it change by change from the beginning, `page` changes at a time.
pub(super) async fn followed(log: &dyn ChangeLog, page: usize) -> Snapshot {
    let mut snapshot = Snapshot::empty();
    loop {
        let changes = after(log, snapshot.cursor(), page).await;
        if changes.is_empty() {
            return snapshot;
        }
        for change in &changes {
            snapshot.apply(change).expect("changes follow each other");
        }
    }
}

//! Several writes in one transaction.

use model::ports::ChangeLog;
use model::{Cursor, Entry, Expect, Row, Write, WriteFault};

use super::asked::{after, batch, contents, done, head, loaded, refused};
use super::sample::{agent, entry, entry_id, history, journal};

/// The caller whose write is refused is told so; the others' are done, and numbers have no gap.
pub async fn a_refused_write_leaves_no_trace(log: &dyn ChangeLog) {
    let answers = batch(
        log,
        vec![
            Write::CreateEntry(entry("one")),
            Write::CreateEntry(entry("one")),
            Write::DeleteEntry(entry_id("none")),
            Write::CreateEntry(entry("two")),
            Write::UpdateEntry { entry: entry("two"), was: 5 },
            Write::CreateEntry(entry("three")),
        ],
    )
    .await;
    let numbers: Vec<_> = answers
        .iter()
        .map(|a| a.as_ref().ok().map(|c| c.iter().map(|c| c.cursor.number).collect()))
        .collect();
    assert_eq!(numbers, [Some(vec![1]), None, None, Some(vec![2]), None, Some(vec![3])]);
    assert_eq!(loaded(log).await.entry_count(), 3);
    assert_eq!(after(log, Cursor::default(), 10).await.len(), 3);
}

/// Writes of a batch are done in order.
pub async fn each_write_of_a_batch_sees_those_before_it(log: &dyn ChangeLog) {
    let answers = batch(
        log,
        vec![
            Write::CreateEntry(entry("one")),
            Write::UpdateEntry { entry: Entry { admin: true, ..entry("one") }, was: 0 },
            Write::UpdateEntry { entry: Entry { downstream: true, ..entry("one") }, was: 1 },
            Write::DeleteEntry(entry_id("one")),
            Write::DeleteEntry(entry_id("one")),
        ],
    )
    .await;
    let done: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(done, [true, true, true, true, false]);
    assert_eq!(head(log).await.number, 4);
}

/// All of several writes, each a change.
pub async fn all_is_done_whole(log: &dyn ChangeLog) {
    let changes = done(log, Write::All(history())).await;
    let numbers: Vec<u64> = changes.iter().map(|change| change.cursor.number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert_eq!(head(log).await.number, numbers.len() as u64);
}

/// One refusal among several, even the last, undoes them all.
pub async fn all_is_undone_whole(log: &dyn ChangeLog) {
    let before = contents(&loaded(log).await);
    let mut writes = history();
    writes.push(Write::DeleteEntry(entry_id("none")));
    assert_eq!(refused(log, Write::All(writes)).await, WriteFault::NotFound("entry"));
    assert_eq!(contents(&loaded(log).await), before);
    // Nor does it stay in the way of what comes later.
    done(log, Write::All(history())).await;
    let undone = vec![
        Write::DeleteEntry(entry_id("one")),
        Write::CreateEntry(entry("four")),
        Write::CreateEntry(entry("two")),
    ];
    let answers = batch(log, vec![Write::All(undone), Write::PutJournal(journal("server", b"more"))]).await;
    assert!(matches!(answers.as_slice(), [Err(WriteFault::SimilarEntry(_)), Ok(_)]), "{answers:?}");
    let after = loaded(log).await;
    assert_eq!(after.entry_count(), 3);
    assert!(after.entry(&entry_id("one")).is_some());
}

/// Groups within groups stand and fall with the outermost.
pub async fn all_may_hold_all(log: &dyn ChangeLog) {
    let pair = |a, b| Write::All(vec![Write::CreateEntry(entry(a)), Write::CreateEntry(entry(b))]);
    done(log, Write::All(vec![pair("a", "b"), pair("c", "d")])).await;
    refused(log, Write::All(vec![pair("e", "f"), pair("g", "a")])).await;
    assert_eq!(loaded(log).await.entry_count(), 4);
    assert!(done(log, Write::All(Vec::new())).await.is_empty());
}

/// Each writer is told what it wrote, whatever the next one of the batch makes of it.
pub async fn changes_of_a_batch_carry_the_rows_that_each_leaves(log: &dyn ChangeLog) {
    let put = |version: &str| Write::PutAgent {
        agent: model::Agent { version: version.to_owned(), ..agent("a") },
        expect: Expect::Any,
    };
    let answers = batch(log, vec![put("1"), put("2"), put("3")]).await;
    for (answer, wanted) in answers.into_iter().zip([("1", 0), ("2", 1), ("3", 2)]) {
        let changes = answer.expect("done");
        let [model::Change { row: Some(Row::Agent(row)), .. }] = changes.as_slice() else {
            panic!("{changes:?}")
        };
        assert_eq!((row.version.as_str(), row.revision), wanted);
    }
}

/// Who made it is told what it made, and who removed it that it is gone.
pub async fn a_row_made_and_removed_in_one_batch_is_gone(log: &dyn ChangeLog) {
    let answers =
        batch(log, vec![Write::CreateEntry(entry("one")), Write::DeleteEntry(entry_id("one"))]).await;
    let [made, removed] = <[_; 2]>::try_from(answers).expect("an answer for each");
    let (made, removed) = (made.expect("done"), removed.expect("done"));
    assert!(matches!(made.as_slice(), [change] if change.row.is_some()), "{made:?}");
    assert!(matches!(removed.as_slice(), [change] if change.row.is_none()), "{removed:?}");
    assert_eq!(loaded(log).await.entry_count(), 0);
    assert_eq!(head(log).await.number, 2);
}

//! Numbers, cursors and the changes that readers get.

use futures_util::future::join_all;
use model::ports::ChangeLog;
use model::{Changes, Cursor, Entry, Row, RowKey, Write};

use super::asked::{after, batch, contents, done, followed, head, loaded, write};
use super::sample::{entry, entry_id, history};

/// A log without history stands at the zero cursor and gives no rows and no changes.
pub async fn a_new_log_stands_at_zero(log: &dyn ChangeLog) {
    assert_eq!(head(log).await, Cursor::default());
    assert!(after(log, Cursor::default(), 10).await.is_empty());
    let mut rows = 0;
    assert_eq!(log.load(&mut |_| rows += 1).await.expect("the log works"), Cursor::default());
    assert_eq!(rows, 0);
}

/// An empty batch is answered without the database.
pub async fn nothing_is_asked_for_an_empty_batch(log: &dyn ChangeLog) {
    let before = log.statements();
    assert!(batch(log, Vec::new()).await.is_empty());
    assert_eq!(log.statements(), before);
}

/// Nothing runs beside what is asked.
pub async fn an_idle_log_sends_no_statement(log: &dyn ChangeLog) {
    done(log, Write::CreateEntry(entry("one"))).await;
    let before = log.statements();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(log.statements(), before);
}

/// Each question costs statements, and the head costs one.
pub async fn statements_are_counted(log: &dyn ChangeLog) {
    head(log).await;
    let before = log.statements();
    head(log).await;
    assert_eq!(log.statements(), before + 1);
    done(log, Write::CreateEntry(entry("one"))).await;
    assert!(log.statements() > before + 1);
}

/// Numbers count up from one; tags are random and never zero.
pub async fn numbers_follow_each_other_and_tags_differ(log: &dyn ChangeLog) {
    let mut cursors = Vec::new();
    for write in history() {
        cursors.extend(done(log, write).await.into_iter().map(|change| change.cursor));
    }
    let numbers: Vec<u64> = cursors.iter().map(|cursor| cursor.number).collect();
    assert_eq!(numbers, (1..=cursors.len() as u64).collect::<Vec<_>>());
    let mut tags: Vec<u64> = cursors.iter().map(|cursor| cursor.tag).collect();
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), cursors.len(), "tags repeat");
    assert!(!tags.contains(&0));
}

/// The head is the cursor of the last change.
pub async fn the_head_is_the_last_change(log: &dyn ChangeLog) {
    for write in history() {
        let last = done(log, write).await.pop().expect("a change").cursor;
        assert_eq!(head(log).await, last);
    }
}

/// What a reader gets later is what the writer was answered, but for rows that changed meanwhile.
pub async fn changes_come_back_as_they_were_answered(log: &dyn ChangeLog) {
    let mut answered = Vec::new();
    for write in history() {
        answered.extend(done(log, write).await);
    }
    let read = after(log, Cursor::default(), usize::MAX).await;
    assert_eq!(read.len(), answered.len());
    for (read, answered) in read.iter().zip(&answered) {
        assert_eq!(read.cursor, answered.cursor);
        assert_eq!(read.key, answered.key);
        assert_eq!(read.was, answered.was, "of {:?}", read.key);
        assert_eq!(read.is, answered.is, "of {:?}", read.key);
    }
}

/// A reader in small steps gets all changes, none twice.
pub async fn a_page_of_changes_ends_at_its_limit(log: &dyn ChangeLog) {
    batch(log, history()).await;
    let all = after(log, Cursor::default(), usize::MAX).await;
    let first = after(log, Cursor::default(), 3).await;
    assert_eq!(first.len(), 3);
    let rest = after(log, first.last().expect("three").cursor, usize::MAX).await;
    let cursors = |changes: &[model::Change]| changes.iter().map(|c| c.cursor).collect::<Vec<_>>();
    assert_eq!([cursors(&first), cursors(&rest)].concat(), cursors(&all));
}

/// Rows are read when the change is, not when it was made.
pub async fn a_change_comes_with_the_row_as_it_stands_when_read(log: &dyn ChangeLog) {
    done(log, Write::CreateEntry(entry("one"))).await;
    done(log, Write::CreateEntry(entry("two"))).await;
    let hint = "later".to_owned();
    done(log, Write::UpdateEntry { entry: Entry { hint, ..entry("one") }, was: 0 }).await;
    done(log, Write::DeleteEntry(entry_id("two"))).await;
    let read = after(log, Cursor::default(), 10).await;
    for (index, hint) in [(0, Some("later")), (1, None), (2, Some("later")), (3, None)] {
        let found = read.get(index).and_then(|change| match &change.row {
            Some(Row::Entry(entry)) => Some(entry.hint.clone()),
            _ => None,
        });
        assert_eq!(found.as_deref(), hint, "change {index}");
    }
}

/// At the head there is nothing more.
pub async fn a_reader_at_the_head_gets_nothing(log: &dyn ChangeLog) {
    batch(log, history()).await;
    assert!(after(log, head(log).await, 10).await.is_empty());
}

/// A cursor whose tag is not that of its change, or whose change has never been, is of another history.
pub async fn a_cursor_of_another_history_is_forked(log: &dyn ChangeLog) {
    batch(log, history()).await;
    let all = after(log, Cursor::default(), usize::MAX).await;
    let (middle, last) = (all.get(4).expect("a fifth").cursor, head(log).await);
    for cursor in [
        Cursor { tag: middle.tag ^ 1, ..middle },
        Cursor { tag: last.tag ^ 1, ..last },
        Cursor { number: last.number + 1, ..last },
        Cursor { number: 0, tag: 1 },
    ] {
        let answer = log.after(cursor, 10).await.expect("the log works");
        assert!(matches!(answer, Changes::Forked), "{cursor:?} got {answer:?}");
    }
}

/// Who is behind what is kept must load anew, and only they.
pub async fn a_reader_of_forgotten_changes_is_told(log: &dyn ChangeLog) {
    batch(log, history()).await;
    let all = after(log, Cursor::default(), usize::MAX).await;
    log.forget(5).await.expect("the log works");
    for (index, change) in all.iter().enumerate() {
        let answer = log.after(change.cursor, usize::MAX).await.expect("the log works");
        match answer {
            Changes::Compacted => assert!(change.cursor.number < 5, "{:?} is kept", change.cursor),
            Changes::Next(next) => {
                assert!(change.cursor.number >= 5);
                assert_eq!(next.len(), all.len() - index - 1);
            }
            Changes::Forked => panic!("{:?} is of this history", change.cursor),
        }
    }
    let answer = log.after(Cursor::default(), 10).await.expect("the log works");
    assert!(matches!(answer, Changes::Compacted));
}

/// So that a cursor at the head can still be told from a fork's.
pub async fn the_newest_change_is_never_forgotten(log: &dyn ChangeLog) {
    log.forget(u64::MAX).await.expect("the log works");
    batch(log, history()).await;
    let last = head(log).await;
    log.forget(u64::MAX).await.expect("the log works");
    assert_eq!(head(log).await, last);
    done(log, Write::CreateEntry(entry("new"))).await;
    assert_eq!(after(log, last, 10).await.len(), 1);
}

/// Only the history shrinks.
pub async fn forgetting_leaves_the_rows(log: &dyn ChangeLog) {
    batch(log, history()).await;
    let before = contents(&loaded(log).await);
    log.forget(u64::MAX).await.expect("the log works");
    assert_eq!(contents(&loaded(log).await), before);
}

/// Many callers at the same time: every number is given once, and the changes lead to the rows.
pub async fn writers_at_once_get_numbers_without_a_gap(log: &dyn ChangeLog) {
    const WRITERS: u64 = 8;
    const EACH: u64 = 10;
    let answered = std::sync::Mutex::new(Vec::new());
    let one = |writer: u64| {
        let answered = &answered;
        async move {
            for n in 0..EACH {
                let changes =
                    write(log, Write::CreateEntry(entry(&format!("e{writer}-{n}")))).await.expect("done");
                answered.lock().expect("no panic").extend(changes);
            }
        }
    };
    join_all((0..WRITERS).map(one)).await;
    let mut answered = answered.into_inner().expect("no panic");
    answered.sort_by_key(|change| change.cursor.number);
    let numbers: Vec<u64> = answered.iter().map(|change| change.cursor.number).collect();
    assert_eq!(numbers, (1..=WRITERS * EACH).collect::<Vec<_>>());
    for change in &answered {
        let (RowKey::Entry(id), Some(Row::Entry(row))) = (&change.key, &change.row) else {
            panic!("{change:?}")
        };
        assert_eq!((&row.id, row.ord), (id, change.cursor.number));
    }
    assert_eq!(contents(&followed(log, 7).await), contents(&loaded(log).await));
}

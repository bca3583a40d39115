use model::{Cursor, Journal};

use super::*;

async fn log(directory: &tempfile::TempDir) -> SqliteLog {
    let path = directory.path().join("datastore.sqlite3");
    SqliteLog::open(path.to_str().unwrap(), Options::default()).await.unwrap()
}

async fn write(log: &SqliteLog, size: usize) -> Result<Cursor, LogError> {
    let journal = Journal { id: size.to_string(), data: vec![7; size] };
    let answers = log.commit(vec![Write::PutJournal(journal)]).await?;
    Ok(answers[0].as_ref().unwrap()[0].cursor)
}

/// Sets something on the connection that writes, until it is hung up.
async fn set(log: &SqliteLog, pragma: &'static str) {
    let mut line = log.writer.line().await.unwrap();
    line.script(pragma).await.unwrap();
    line.release();
}

#[tokio::test]
async fn a_database_without_room_is_full_and_recovers_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let log = log(&directory).await;
    set(&log, "PRAGMA max_page_count = 60").await;
    let last = write(&log, 1000).await.unwrap();
    let error = write(&log, 500_000).await.unwrap_err();
    assert!(matches!(error, LogError::Full { .. }), "{error}");
    assert_eq!(log.head().await.unwrap(), last);
    assert_eq!(write(&log, 500_000).await.unwrap().number, last.number + 1);
}

#[tokio::test]
async fn a_database_that_became_read_only_is_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let log = log(&directory).await;
    set(&log, "PRAGMA query_only = ON").await;
    let error = write(&log, 10).await.unwrap_err();
    assert!(matches!(error, LogError::ReadOnly { .. }), "{error}");
    assert_eq!(write(&log, 10).await.unwrap().number, 1);
}

#[tokio::test]
async fn every_connection_waits_for_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let log = log(&directory).await;
    for reconnect in [false, true] {
        let mut line = log.writer.line().await.unwrap();
        for (pragma, wanted) in [
            ("PRAGMA synchronous", "2"),
            ("PRAGMA foreign_keys", "1"),
            ("PRAGMA journal_mode", "wal"),
            ("PRAGMA busy_timeout", "5000"),
        ] {
            let row = line.first(sqlx::query(pragma)).await.unwrap().unwrap();
            let found: String = sqlx::Row::try_get_unchecked(&row, 0).unwrap();
            assert_eq!(found, wanted, "{pragma}, reconnected: {reconnect}");
        }
        // Without a release it is hung up, and the next round dials anew.
        drop(line);
    }
}

#[tokio::test]
async fn an_old_history_is_dropped_in_pieces() {
    let directory = tempfile::tempdir().unwrap();
    let log = log(&directory).await;
    let mut line = log.writer.line().await.unwrap();
    line.script(
        "INSERT INTO change WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)
            SELECT i, 1, 4, '', NULL, NULL FROM n;
        UPDATE sequence SET number = 25000, tag = 1",
    )
    .await
    .unwrap();
    line.release();
    let before = log.statements();
    log.forget(24_990).await.unwrap();
    assert_eq!(log.statements() - before, 3, "in three pieces");
    let cursor = Cursor { number: 24_990, tag: 1 };
    assert!(matches!(log.after(cursor, 100).await.unwrap(), Changes::Next(next) if next.len() == 10));
    let cursor = Cursor { number: 24_989, tag: 1 };
    assert!(matches!(log.after(cursor, 100).await.unwrap(), Changes::Compacted));
}

//! Files that are not as they should be: each is told apart, nothing is damaged, and the log recovers when it can.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod mount;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use model::ports::{ChangeLog, LogError};
use model::{Changes, Cursor, JoinToken, Journal, Snapshot, UnixTime, Write};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use store::sqlite::{Migration, Options, SqliteLog};
use tempfile::TempDir;

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

async fn open(path: &Path) -> Result<SqliteLog, LogError> {
    let options = Options { busy_timeout: Duration::from_millis(200), ..Options::default() };
    SqliteLog::open(path.to_str().unwrap(), options).await
}

async fn refused(path: &Path) -> LogError {
    match open(path).await {
        Err(error) => error,
        Ok(_) => panic!("{} was opened", path.display()),
    }
}

fn journal(size: usize) -> Vec<Write> {
    vec![Write::PutJournal(Journal { id: "server".to_owned(), data: vec![7; size] })]
}

async fn write(log: &SqliteLog, size: usize) -> Result<Cursor, LogError> {
    let answers = log.commit(journal(size)).await?;
    Ok(answers[0].as_ref().unwrap()[0].cursor)
}

async fn loaded(log: &SqliteLog) -> Result<Snapshot, LogError> {
    let mut snapshot = Snapshot::empty();
    let cursor = log.load(&mut |row| snapshot.put(row)).await?;
    Ok(snapshot.at(cursor))
}

/// The file as another program sees it.
async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap()
}

async fn script(path: &Path, sql: &str) {
    let mut raw = raw(path).await;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
}

#[tokio::test]
async fn new_files_are_for_their_owner_alone() {
    let directory = directory();
    let path = directory.path().join("datastore.sqlite3");
    let log = open(&path).await.unwrap();
    write(&log, 10).await.unwrap();
    let mut names = Vec::new();
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["datastore.sqlite3", "datastore.sqlite3-shm", "datastore.sqlite3-wal"]);
}

#[tokio::test]
async fn a_restart_finds_everything() {
    let directory = directory();
    let path = directory.path().join("datastore.sqlite3");
    let log = open(&path).await.unwrap();
    let written = write(&log, 10).await.unwrap();
    drop(log);
    let uri = format!("file:{}?_journal_mode=WAL", path.display());
    let log =
        SqliteLog::open(&uri, Options { migration: Migration::Refused, ..Options::default() }).await.unwrap();
    assert_eq!(log.head().await.unwrap(), written);
    assert_eq!(loaded(&log).await.unwrap().journals().count(), 1);
}

#[tokio::test]
async fn two_logs_on_one_file_share_one_history() {
    let directory = directory();
    let path = directory.path().join("datastore.sqlite3");
    let (one, two) = (
        SqliteLog::open(path.to_str().unwrap(), Options::default()).await.unwrap(),
        open(&path).await.unwrap(),
    );
    for number in 1..=10 {
        let log = if number % 2 == 0 { &one } else { &two };
        assert_eq!(write(log, 10).await.unwrap().number, number);
    }
    assert_eq!(one.head().await.unwrap(), two.head().await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_several_make_at_once_is_made_once() {
    for _ in 0..10 {
        let directory = directory();
        let path = directory.path().join("datastore.sqlite3");
        let opening: Vec<_> = (0..6)
            .map(|_| {
                let path = path.to_str().unwrap().to_owned();
                tokio::spawn(async move { SqliteLog::open(&path, Options::default()).await })
            })
            .collect();
        let mut logs = Vec::new();
        for log in opening {
            logs.push(log.await.unwrap().unwrap());
        }
        for (index, log) in logs.iter().enumerate() {
            assert_eq!(write(log, 10).await.unwrap().number, index as u64 + 1);
        }
    }
}

#[tokio::test]
async fn a_missing_directory_is_named() {
    let directory = directory();
    let path = directory.path().join("none").join("datastore.sqlite3");
    let error = refused(&path).await;
    assert!(matches!(error, LogError::ReadOnly { .. }), "{error}");
    assert!(error.to_string().contains("does not exist"), "{error}");
}

#[tokio::test]
async fn a_directory_is_not_a_database() {
    let directory = directory();
    let error = refused(directory.path()).await;
    assert!(error.to_string().contains("it is a directory"), "{error}");
}

#[tokio::test]
async fn a_database_of_spire_is_refused_and_left_alone() {
    let directory = directory();
    let path = directory.path().join("datastore.sqlite3");
    script(&path, "CREATE TABLE migrations (id INTEGER PRIMARY KEY, version INTEGER); CREATE TABLE registered_entries (id INTEGER PRIMARY KEY)").await;
    let before = std::fs::read(&path).unwrap();
    let error = refused(&path).await;
    assert!(matches!(error, LogError::Schema(_)), "{error}");
    assert!(error.to_string().contains("SPIRE") && error.to_string().contains("import"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_database_of_another_program_is_refused() {
    for tables in [
        "CREATE TABLE cats (name TEXT)",
        "CREATE TABLE schema (colour TEXT)",
        "CREATE TABLE schema (program TEXT, version INTEGER); INSERT INTO schema VALUES ('other', 1)",
    ] {
        let directory = directory();
        let path = directory.path().join("datastore.sqlite3");
        script(&path, tables).await;
        let error = refused(&path).await;
        assert!(matches!(error, LogError::Schema(_)), "{error}");
        assert!(error.to_string().contains("another program"), "{error}");
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let directory = directory();
    let path = directory.path().join("datastore.sqlite3");
    drop(open(&path).await.unwrap());
    script(&path, "UPDATE schema SET version = 99").await;
    let error = refused(&path).await;
    assert!(matches!(error, LogError::Schema(_)), "{error}");
    assert!(error.to_string().contains("newer version") && error.to_string().contains("99"), "{error}");
}

#[tokio::test]
async fn a_database_of_an_older_version_is_brought_up_to_date_only_if_allowed() {
    let directory = directory();
    let path = directory.path().join("datastore.sqlite3");
    script(
        &path,
        "CREATE TABLE schema (program TEXT, version INTEGER); INSERT INTO schema VALUES ('bonafide', 0)",
    )
    .await;
    let kept = Options { migration: Migration::Refused, ..Options::default() };
    let Err(error) = SqliteLog::open(path.to_str().unwrap(), kept).await else { panic!("it was opened") };
    assert!(error.to_string().contains("told not to migrate"), "{error}");
    write(&open(&path).await.unwrap(), 1).await.unwrap();
}

#[tokio::test]
async fn a_file_of_garbage_is_corrupt() {
    let directory = directory();
    let path = directory.path().join("datastore.sqlite3");
    std::fs::write(
        &path,
        "not a database at all, but long enough to have a header of one hundred bytes. ".repeat(20),
    )
    .unwrap();
    let error = refused(&path).await;
    assert!(matches!(error, LogError::Corrupt(_)), "{error}");
    assert!(error.to_string().contains("restore it from a backup"), "{error}");
}

#[tokio::test]
async fn damage_in_the_middle_is_corrupt() {
    let directory = directory();
    let path = directory.path().join("datastore.sqlite3");
    let log = open(&path).await.unwrap();
    write(&log, 200_000).await.unwrap();
    drop(log);
    script(&path, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096..].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let error = match open(&path).await {
        Err(error) => error,
        Ok(log) => loaded(&log).await.unwrap_err(),
    };
    assert!(matches!(error, LogError::Corrupt(_)), "{error}");
}

#[tokio::test]
async fn a_row_that_does_not_decode_is_corrupt_and_named() {
    let directory = directory();
    let path = directory.path().join("datastore.sqlite3");
    let log = open(&path).await.unwrap();
    script(&path, "INSERT INTO entry VALUES (1, 'one', x'00', 0, x'ffff')").await;
    let error = loaded(&log).await.unwrap_err();
    assert!(matches!(error, LogError::Corrupt(_)), "{error}");
    assert!(error.to_string().contains("table entry"), "{error}");
    assert!(log.head().await.is_ok(), "the log itself goes on");
}

#[tokio::test]
async fn a_file_that_another_program_has_locked_is_unavailable_for_as_long() {
    let directory = directory();
    let path = directory.path().join("datastore.sqlite3");
    let log = open(&path).await.unwrap();
    let mut other = raw(&path).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let error = write(&log, 10).await.unwrap_err();
    assert!(matches!(error, LogError::Unavailable(_)), "{error}");
    assert!(error.to_string().contains("another program"), "{error}");
    assert!(log.head().await.is_ok(), "reading goes on");
    sqlx::query("COMMIT").execute(&mut other).await.unwrap();
    assert_eq!(write(&log, 10).await.unwrap().number, 1);
}

#[tokio::test]
async fn a_restored_backup_is_noticed_as_a_fork() {
    let directory = directory();
    let path = directory.path().join("datastore.sqlite3");
    let backup = directory.path().join("backup.sqlite3");
    let log = open(&path).await.unwrap();
    let first = write(&log, 1).await.unwrap();
    script(&path, &format!("VACUUM INTO '{}'", backup.display())).await;
    let second = write(&log, 2).await.unwrap();
    let restored = open(&backup).await.unwrap();
    assert!(matches!(restored.after(second, 10).await.unwrap(), Changes::Forked));
    let again = write(&restored, 3).await.unwrap();
    assert_eq!(again.number, second.number);
    assert!(matches!(restored.after(second, 10).await.unwrap(), Changes::Forked));
    assert!(matches!(restored.after(first, 10).await.unwrap(), Changes::Next(next) if next.len() == 1));
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_nothing_behind() {
    let directory = directory();
    let path = directory.path().join("datastore.sqlite3");
    let log = SqliteLog::open(path.to_str().unwrap(), Options::default()).await.unwrap();
    for micros in (0..2000).step_by(50) {
        let _ = tokio::time::timeout(Duration::from_micros(micros), write(&log, 100)).await;
    }
    let before = log.head().await.unwrap().number;
    let next = write(&log, 100).await.unwrap().number;
    assert!(next > before);
    let Changes::Next(all) = log.after(Cursor::default(), usize::MAX).await.unwrap() else { panic!() };
    assert_eq!(all.len() as u64, next);
}

#[tokio::test]
async fn the_value_of_a_join_token_is_not_in_the_file() {
    let directory = directory();
    let path = directory.path().join("datastore.sqlite3");
    let log = open(&path).await.unwrap();
    let value = "5f6b1c9e-a-very-secret-value";
    let token = JoinToken { value: value.to_owned().into(), expires_at: UnixTime(9) };
    assert!(log.commit(vec![Write::CreateToken(token)]).await.unwrap()[0].is_ok());
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(value.len()).any(|window| window == value.as_bytes()));
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_the_log_recovers_when_there_is_room() {
    let directory = directory();
    let Some(mount) = mount::Mount::of_size(directory.path(), "1m") else { return };
    let path = mount.path().join("datastore.sqlite3");
    let log = open(&path).await.unwrap();
    let mut last = write(&log, 1000).await.unwrap();
    let ballast = mount.path().join("ballast");
    std::fs::write(&ballast, vec![1; 500_000]).unwrap();
    let error = loop {
        match write(&log, 60_000).await {
            Ok(cursor) => last = cursor,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, LogError::Full { .. }), "{error}");
    assert!(error.to_string().contains("is full"), "{error}");
    // Nothing was written, what was there can be read, and the next try says the same.
    assert_eq!(log.head().await.unwrap(), last);
    assert_eq!(loaded(&log).await.unwrap().journals().count(), 1);
    assert!(matches!(write(&log, 60_000).await.unwrap_err(), LogError::Full { .. }));
    std::fs::remove_file(&ballast).unwrap();
    assert_eq!(write(&log, 60_000).await.unwrap().number, last.number + 1);
}

#[tokio::test]
async fn a_new_database_on_a_full_disk_is_told_so() {
    let directory = directory();
    let Some(mount) = mount::Mount::of_size(directory.path(), "64k") else { return };
    let _ = std::fs::write(mount.path().join("ballast"), vec![1; 100_000]);
    let error = refused(&mount.path().join("datastore.sqlite3")).await;
    assert!(matches!(error, LogError::Full { .. }), "{error}");
}

#[tokio::test]
async fn what_may_not_be_written_is_told_apart_from_what_is_busy() {
    let directory = directory();
    let path = directory.path().join("datastore.sqlite3");
    write(&open(&path).await.unwrap(), 10).await.unwrap();
    // Modes do not bind root.
    let mount = rustix::process::geteuid().is_root().then(|| mount::Mount::read_only(directory.path()));
    match &mount {
        Some(None) => return,
        Some(Some(_)) => {
            let error = refused(&directory.path().join("new.sqlite3")).await;
            assert!(matches!(error, LogError::ReadOnly { .. }), "{error}");
        }
        None => std::fs::set_permissions(&path, PermissionsExt::from_mode(0o400)).unwrap(),
    }
    let error = refused(&path).await;
    assert!(matches!(error, LogError::ReadOnly { .. }), "{error}");
    assert!(error.to_string().contains("cannot be written"), "{error}");
}

#[tokio::test]
async fn a_file_system_that_was_read_only_for_a_time_loses_nothing() {
    let directory = directory();
    let Some(mount) = mount::Mount::of_size(directory.path(), "4m") else { return };
    let path = mount.path().join("datastore.sqlite3");
    let log = open(&path).await.unwrap();
    let last = write(&log, 10).await.unwrap();
    drop(log);
    mount.remount("ro");
    let error = refused(&path).await;
    assert!(matches!(error, LogError::ReadOnly { .. }), "{error}");
    mount.remount("rw");
    assert_eq!(write(&open(&path).await.unwrap(), 10).await.unwrap().number, last.number + 1);
}

//! SQLite holds to what every change log holds to, in a file and in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::Deref;

use store::sqlite::{Options, SqliteLog};
use tempfile::TempDir;

struct Stored {
    log: SqliteLog,
    _directory: TempDir,
}

impl Deref for Stored {
    type Target = SqliteLog;
    fn deref(&self) -> &SqliteLog {
        &self.log
    }
}

async fn in_a_file() -> Stored {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("datastore.sqlite3");
    let log = SqliteLog::open(path.to_str().unwrap(), Options::default()).await.unwrap();
    Stored { log, _directory: directory }
}

async fn in_memory() -> Box<SqliteLog> {
    Box::new(SqliteLog::open(":memory:", Options::default()).await.unwrap())
}

mod file {
    contract::change_log_tests!(super::in_a_file);
}

mod memory {
    contract::change_log_tests!(super::in_memory);
}

//! One connection, with a count of what is sent over it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use model::ports::LogError;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteRow, SqliteSynchronous};
use sqlx::{ConnectOptions, Sqlite, SqliteConnection};

use super::failure::log_error;

/// How many kilobytes of pages a connection may keep.
const CACHE_KB: u32 = 16 * 1024;
/// How many pages the WAL gathers before they are moved into the file: new entries touch index pages all over, so that
/// moving them seldom moves far fewer.
const WAL_PAGES: u32 = 8000;
/// The WAL is cut back to this after it has grown beyond it, in bytes.
const WAL_LIMIT: u32 = 64 * 1024 * 1024;

/// A statement with its arguments.
pub(super) type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

/// What to connect to.
pub(super) struct Target {
    pub(super) filename: PathBuf,
    /// Its name in messages.
    pub(super) shown: Arc<str>,
}

/// Makes connections.
pub(super) struct Dialer {
    options: SqliteConnectOptions,
    place: Arc<str>,
    sent: Arc<AtomicU64>,
}

impl Dialer {
    pub(super) fn new(target: Target, busy_timeout: Duration) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(target.filename)
            .create_if_missing(false)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(busy_timeout)
            .pragma("cache_size", format!("-{CACHE_KB}"))
            .pragma("wal_autocheckpoint", WAL_PAGES.to_string())
            .pragma("journal_size_limit", WAL_LIMIT.to_string())
            .pragma("cell_size_check", "ON")
            .pragma("trusted_schema", "OFF")
            .row_buffer_size(1024)
            .thread_name(|n| format!("sqlite-{n}"))
            .disable_statement_logging();
        Self { options, place: target.shown, sent: Arc::default() }
    }

    pub(super) async fn dial(&self) -> Result<Line, LogError> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let conn = self.options.connect().await.map_err(|error| log_error(&self.place, error))?;
        Ok(Line { conn, place: self.place.clone(), sent: self.sent.clone() })
    }

    pub(super) fn statements(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// One connection.
pub(super) struct Line {
    conn: SqliteConnection,
    place: Arc<str>,
    sent: Arc<AtomicU64>,
}

impl Line {
    /// Does a statement; says how many rows it changed.
    pub(super) async fn run(&mut self, statement: Statement<'_>) -> Result<u64, LogError> {
        self.count();
        match statement.execute(&mut self.conn).await {
            Ok(done) => Ok(done.rows_affected()),
            Err(error) => Err(self.error(error)),
        }
    }

    /// Does a statement without arguments.
    pub(super) async fn say(&mut self, sql: &'static str) -> Result<u64, LogError> {
        self.run(sqlx::query(sql)).await
    }

    /// Does several statements in one text.
    pub(super) async fn script(&mut self, sql: &'static str) -> Result<(), LogError> {
        self.count();
        match sqlx::raw_sql(sql).execute(&mut self.conn).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.error(error)),
        }
    }

    pub(super) async fn all(&mut self, statement: Statement<'_>) -> Result<Vec<SqliteRow>, LogError> {
        self.count();
        statement.fetch_all(&mut self.conn).await.map_err(|error| self.error(error))
    }

    pub(super) async fn first(&mut self, statement: Statement<'_>) -> Result<Option<SqliteRow>, LogError> {
        self.count();
        statement.fetch_optional(&mut self.conn).await.map_err(|error| self.error(error))
    }

    /// The rows one by one.
    pub(super) fn stream<'a>(&'a mut self, sql: &'static str) -> BoxStream<'a, Result<SqliteRow, LogError>> {
        self.count();
        let place = self.place.clone();
        sqlx::query(sql)
            .fetch(&mut self.conn)
            .map(move |row| row.map_err(|error| log_error(&place, error)))
            .boxed()
    }

    /// The error of a column that is not as the schema has it, or of anything else.
    pub(super) fn error(&self, error: sqlx::Error) -> LogError {
        log_error(&self.place, error)
    }

    /// The database's name in messages.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    fn count(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }
}

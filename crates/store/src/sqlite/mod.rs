//! SQLite: one file of this machine, written by one connection, read by a few.
//!
//! The file is in WAL mode with `synchronous=FULL`, so that readers do not wait for the writer and what was answered is
//! on the disk. A killed process leaves nothing to repair.

mod after;
mod commit;
mod failure;
mod file;
mod forget;
mod line;
mod load;
mod lookup;
mod memory;
mod network;
mod place;
mod readers;
mod rows;
mod schema;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::ports::{ChangeLog, LogError};
use model::{Change, Changes, Cursor, Row, Write, WriteFault};

use line::{Dialer, Line};
use place::Place;
use readers::Readers;
use writer::Writer;

/// How the database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long to wait while another program writes.
    pub busy_timeout: Duration,
    /// The most connections that read at the same time; at least one.
    pub readers: usize,
    /// What to do with a database of an older version.
    pub migration: Migration,
}

/// What to do with a database of an older version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Migration {
    /// Bring it up to date.
    Allowed,
    /// Refuse it.
    Refused,
}

impl Default for Options {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(5), readers: 4, migration: Migration::Allowed }
    }
}

/// The ordered log in an SQLite database.
pub struct SqliteLog {
    writer: Writer,
    readers: Readers,
    dialer: Arc<Dialer>,
    /// A database in memory lives for as long as a connection to it does.
    _anchor: Option<Line>,
}

impl SqliteLog {
    /// Opens the database, and makes it if there is none, readable by its owner alone.
    ///
    /// `connection_string` is written as SPIRE 1.16 reads it: a path or a `file:` URI, with parameters of go-sqlite3
    /// after a question mark if need be. Parameters that would weaken the log are refused with the reason. `:memory:`
    /// and `mode=memory` keep the registry for as long as the process runs.
    ///
    /// Fails when the database is another program's or of a newer version ([`LogError::Schema`], which is also the
    /// kind of a connection string that is not understood), lies on a network file system, or may not be written.
    pub async fn open(connection_string: &str, options: Options) -> Result<Self, LogError> {
        let (place, settings) = place::parse(connection_string)?;
        let busy_timeout = settings.busy_timeout.unwrap_or(options.busy_timeout);
        let target = match &place {
            Place::File(path) => file::prepare(path)?,
            Place::Memory => memory::fresh(),
        };
        let dialer = Arc::new(Dialer::new(target, busy_timeout));
        let mut line = dialer.dial().await?;
        schema::bring_up(&mut line, options.migration).await?;
        let anchor = match place {
            Place::File(_) => {
                schema::use_wal(&mut line, busy_timeout).await?;
                None
            }
            Place::Memory => Some(dialer.dial().await?),
        };
        let readers = Readers::new(dialer.clone(), options.readers.max(1));
        Ok(Self { writer: Writer::new(dialer.clone(), line), readers, dialer, _anchor: anchor })
    }
}

#[async_trait]
impl ChangeLog for SqliteLog {
    async fn commit(&self, writes: Vec<Write>) -> Result<Vec<Result<Vec<Change>, WriteFault>>, LogError> {
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let mut line = self.writer.line().await?;
        let answers = commit::commit(&mut line, writes).await?;
        line.release();
        Ok(answers)
    }

    async fn load(&self, sink: &mut (dyn FnMut(Row) + Send)) -> Result<Cursor, LogError> {
        let mut line = self.readers.line().await?;
        let cursor = load::load(&mut line, sink).await?;
        line.release();
        Ok(cursor)
    }

    async fn after(&self, cursor: Cursor, limit: usize) -> Result<Changes, LogError> {
        let mut line = self.readers.line().await?;
        let changes = after::after(&mut line, cursor, limit).await?;
        line.release();
        Ok(changes)
    }

    async fn forget(&self, before: u64) -> Result<(), LogError> {
        let mut more = true;
        while more {
            // Writers get their turn between the pieces.
            let mut line = self.writer.line().await?;
            more = forget::forget_some(&mut line, before).await?;
            line.release();
        }
        Ok(())
    }

    async fn head(&self) -> Result<Cursor, LogError> {
        let mut line = self.readers.line().await?;
        let cursor = lookup::head(&mut line).await?;
        line.release();
        Ok(cursor)
    }

    fn statements(&self) -> u64 {
        self.dialer.statements()
    }
}

#[cfg(test)]
mod tests;

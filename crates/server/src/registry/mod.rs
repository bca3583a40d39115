//! The registry as this server sees it: a snapshot in memory moved by the ordered log, and the one writer of it.
//!
//! Readers take [`Registry::snapshot`] and never wait. Writers hand their writes to one task that gathers what waits
//! into one transaction, so that one fsync serves them all; each is answered when its write is durable *and* the
//! snapshot shows it. At rest nothing is asked of the database.

mod writer;

use std::sync::Arc;

use arc_swap::ArcSwap;
use model::ports::{ChangeLog, LogError};
use model::{Change, Changes, Cursor, Snapshot, Write, WriteFault};
use tokio::sync::{mpsc, oneshot, watch};
use tracing::Instrument as _;

/// Called for each step of the snapshot, in order, on the writer's task: must be quick and must not block.
pub trait Observer: Send + Sync {
    /// `before` became `after` by `change`.
    fn moved(&self, before: &Snapshot, after: &Snapshot, change: &Change);
    /// The history could not be followed step by step: `after` was loaded anew.
    fn reloaded(&self, after: &Snapshot);
    /// Readers now get the snapshot at `cursor`: whoever waits for what was reported may look.
    fn published(&self, cursor: Cursor);
}

/// How many requests may wait for the writer before callers wait in turn.
const QUEUE: usize = 4096;

/// Handle to the registry; cheap to share.
pub struct Registry {
    snapshot: Arc<ArcSwap<Snapshot>>,
    queue: mpsc::Sender<writer::Request>,
    moved: watch::Receiver<Cursor>,
    log: Arc<dyn ChangeLog>,
}

/// Why a write was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RegistryError {
    /// The registry says no.
    #[error(transparent)]
    Refused(#[from] WriteFault),
    /// The database failed; nothing was written.
    #[error("{0}")]
    Log(Arc<LogError>),
    /// The server is stopping.
    #[error("the server is stopping; nothing was written")]
    Stopped,
}

impl Registry {
    /// Reads the registry out of `log` and starts its writer. The writer ends when the registry is dropped.
    pub async fn open(
        log: Arc<dyn ChangeLog>,
        observers: Vec<Arc<dyn Observer>>,
    ) -> Result<Arc<Self>, LogError> {
        let first = load(&*log).await?;
        for observer in &observers {
            observer.reloaded(&first);
            observer.published(first.cursor());
        }
        let (moved_tx, moved) = watch::channel(first.cursor());
        let snapshot = Arc::new(ArcSwap::from_pointee(first));
        let (queue, requests) = mpsc::channel(QUEUE);
        let writer = writer::Writer {
            log: log.clone(),
            snapshot: snapshot.clone(),
            moved: moved_tx,
            observers,
            requests,
        };
        tokio::spawn(writer.run());
        Ok(Arc::new(Self { snapshot, queue, moved, log }))
    }

    /// The registry as of now. Lock-free; the answer never changes.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Moves each time the snapshot does.
    pub fn changes(&self) -> watch::Receiver<Cursor> {
        self.moved.clone()
    }

    /// Writes one thing.
    pub async fn write(&self, write: Write) -> Result<Vec<Change>, RegistryError> {
        self.write_each(vec![write]).await.pop().unwrap_or(Err(RegistryError::Stopped))
    }

    /// Writes several things, each standing or falling alone; the answers are in order.
    pub async fn write_each(&self, writes: Vec<Write>) -> Vec<Result<Vec<Change>, RegistryError>> {
        let count = writes.len();
        // The transaction is shared with others, and its span a trace of its own.
        let span = kit::traced!("registry.write", writes = count);
        let (answer, answered) = oneshot::channel();
        let stopped = || (0..count).map(|_| Err(RegistryError::Stopped)).collect();
        let written = async {
            if self.queue.send(writer::Request::Write { writes, answer }).await.is_err() {
                return stopped();
            }
            answered.await.unwrap_or_else(|_| stopped())
        };
        written.instrument(span).await
    }

    /// Makes sure that the snapshot shows everything that was committed anywhere before this call: one row is read.
    /// A refusal that a fresh write elsewhere would turn is given only after this.
    pub async fn catch_up(&self) -> Result<(), RegistryError> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(writer::Request::CatchUp { answer }).await.map_err(|_| RegistryError::Stopped)?;
        answered.await.unwrap_or(Err(RegistryError::Stopped))
    }

    /// The changes after `cursor`, from the log: for readers that come back.
    pub async fn after(&self, cursor: Cursor, limit: usize) -> Result<Changes, LogError> {
        self.log.after(cursor, limit).await
    }

    /// Forgets the changes before `number`: who has not read them by now loads the tables.
    pub async fn forget(&self, number: u64) -> Result<(), LogError> {
        self.log.forget(number).await
    }

    /// How many statements have gone to the database.
    pub fn statements(&self) -> u64 {
        self.log.statements()
    }
}

/// Reads all tables into a new snapshot.
async fn load(log: &dyn ChangeLog) -> Result<Snapshot, LogError> {
    let mut snapshot = Snapshot::empty();
    let cursor = log.load(&mut |row| snapshot.put(row)).await?;
    Ok(snapshot.at(cursor))
}

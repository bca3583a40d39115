//! The one task that writes to the log and moves the snapshot.

use std::sync::Arc;

use arc_swap::ArcSwap;
use model::ports::{ChangeLog, LogError};
use model::{Change, Changes, Cursor, Snapshot, Write};
use tokio::sync::{mpsc, oneshot, watch};

use tracing::Instrument as _;
use tracing::field::Empty;

use super::{Observer, RegistryError, load};

/// The most writes of one transaction.
const BATCH: usize = 1024;
/// How many changes are read at a time when catching up.
const PAGE: usize = 1000;

type Answers = Vec<Result<Vec<Change>, RegistryError>>;

pub(super) enum Request {
    Write { writes: Vec<Write>, answer: oneshot::Sender<Answers> },
    CatchUp { answer: oneshot::Sender<Result<(), RegistryError>> },
}

pub(super) struct Writer {
    pub(super) log: Arc<dyn ChangeLog>,
    pub(super) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(super) moved: watch::Sender<Cursor>,
    pub(super) observers: Vec<Arc<dyn Observer>>,
    pub(super) requests: mpsc::Receiver<Request>,
}

impl Writer {
    pub(super) async fn run(mut self) {
        while let Some(first) = self.requests.recv().await {
            let (writers, readers) = self.gather(first);
            if !writers.is_empty() {
                self.commit(writers).await;
            }
            if !readers.is_empty() {
                let done = self.catch_up().await.map_err(|e| RegistryError::Log(Arc::new(e)));
                for answer in readers {
                    let _ = answer.send(done.clone());
                }
            }
        }
    }

    /// Takes what waits, up to a full batch. A caller who went away is dropped unheard.
    #[allow(clippy::type_complexity)] // two lists, named where they are taken apart
    fn gather(
        &mut self,
        first: Request,
    ) -> (Vec<(Vec<Write>, oneshot::Sender<Answers>)>, Vec<oneshot::Sender<Result<(), RegistryError>>>) {
        let (mut writers, mut readers, mut count) = (Vec::new(), Vec::new(), 0);
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                Request::Write { writes, answer } if !answer.is_closed() => {
                    count += writes.len();
                    writers.push((writes, answer));
                }
                Request::CatchUp { answer } if !answer.is_closed() => readers.push(answer),
                _ => {}
            }
            next = if count < BATCH { self.requests.try_recv().ok() } else { None };
        }
        (writers, readers)
    }

    async fn commit(&mut self, writers: Vec<(Vec<Write>, oneshot::Sender<Answers>)>) {
        let mut all = Vec::new();
        let mut shares = Vec::with_capacity(writers.len());
        for (writes, answer) in writers {
            shares.push((writes.len(), answer));
            all.extend(writes);
        }
        let span = kit::traced!("store.commit", writes = all.len(), error = Empty);
        let committed = self.log.commit(all).instrument(span.clone()).await;
        if let Err(error) = &committed {
            span.record("error", error.to_string());
        }
        drop(span);
        match committed {
            Ok(results) => {
                let changes: Vec<Change> = results.iter().flatten().flatten().cloned().collect();
                self.advance(changes).await;
                let mut results = results.into_iter();
                for (share, answer) in shares {
                    let mine =
                        results.by_ref().take(share).map(|r| r.map_err(RegistryError::Refused)).collect();
                    let _ = answer.send(mine);
                }
            }
            Err(error) => {
                tracing::error!(error = %error, "Registry write failed; nothing was written");
                let error = Arc::new(error);
                for (share, answer) in shares {
                    let _ = answer.send((0..share).map(|_| Err(RegistryError::Log(error.clone()))).collect());
                }
            }
        }
    }

    /// Applies what this server has committed; if another server wrote in between, that is read first.
    async fn advance(&mut self, changes: Vec<Change>) {
        let at = self.snapshot.load().cursor().number;
        let follows = changes.first().is_none_or(|c| c.cursor.number == at + 1);
        if follows && self.apply(&changes) {
            return;
        }
        // Committed is committed: the callers are answered, and a snapshot that lags is caught up by the next wake-up.
        if let Err(error) = self.catch_up().await {
            tracing::error!(error = %error, "The registry could not be caught up after a write");
        }
    }

    async fn catch_up(&mut self) -> Result<(), LogError> {
        loop {
            let cursor = self.snapshot.load().cursor();
            if self.log.head().await? == cursor {
                return Ok(());
            }
            match self.log.after(cursor, PAGE).await? {
                Changes::Next(changes) if !changes.is_empty() && self.apply(&changes) => {}
                Changes::Next(_) | Changes::Compacted => self.reload().await?,
                Changes::Forked => {
                    tracing::warn!(
                        number = cursor.number,
                        "The registry's history was replaced (a restored backup or a fail-over that lost writes): loading it anew"
                    );
                    self.reload().await?;
                }
            }
        }
    }

    /// Moves the snapshot step by step; false when the steps do not follow it.
    fn apply(&mut self, changes: &[Change]) -> bool {
        let mut now = Snapshot::clone(&self.snapshot.load());
        for change in changes {
            let before = now.clone();
            if now.apply(change).is_err() {
                return false;
            }
            for observer in &self.observers {
                observer.moved(&before, &now, change);
            }
        }
        self.publish(now);
        true
    }

    async fn reload(&mut self) -> Result<(), LogError> {
        let now = load(&*self.log).await?;
        for observer in &self.observers {
            observer.reloaded(&now);
        }
        self.publish(now);
        Ok(())
    }

    fn publish(&self, now: Snapshot) {
        let cursor = now.cursor();
        self.snapshot.store(Arc::new(now));
        for observer in &self.observers {
            observer.published(cursor);
        }
        self.moved.send_replace(cursor);
    }
}

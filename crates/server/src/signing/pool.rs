use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use tracing::Instrument as _;
use tracing::field::Empty;

use super::queue::Queue;
use super::together::together;
use super::{Class, Refused};
use crate::metrics::SIGNING_REFUSED;

/// How many signatures may wait, unless the caller says otherwise: a few megabytes of requests.
const BOUND: usize = 16 * 1024;

/// The signing threads could not be started.
#[derive(Debug, thiserror::Error)]
#[error("a signing thread could not be started (the limit on threads or memory may be too low)")]
pub struct StartError(#[from] std::io::Error);

/// Handle to the signing threads; cheap to clone. They end when the last handle is dropped.
#[derive(Clone)]
pub struct SigningPool(Arc<Threads>);

struct Threads(Arc<Queue>);

impl Drop for Threads {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl SigningPool {
    /// One thread for each core that this process may use.
    pub fn start() -> Result<Self, StartError> {
        Self::with(thread::available_parallelism().unwrap_or(NonZeroUsize::MIN), BOUND)
    }

    /// So many threads, with at most `bound` signatures waiting.
    pub fn with(threads: NonZeroUsize, bound: usize) -> Result<Self, StartError> {
        let queue = Arc::new(Queue::new(bound, threads.get()));
        // Made first, so that the threads already started end if a later one cannot be.
        let pool = Self(Arc::new(Threads(queue.clone())));
        for number in 0..threads.get() {
            let queue = queue.clone();
            thread::Builder::new().name(format!("sign-{number}")).spawn(move || queue.work())?;
        }
        Ok(pool)
    }

    /// Does one task. Dropping the future gives up a task that has not begun.
    pub async fn run<T, F>(&self, class: Class, task: F) -> Result<T, Refused>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        self.run_all(class, vec![task]).await?.pop().ok_or(Refused::Panicked)
    }

    /// Does several tasks, each with a place in the queue of its own, and answers when all are done, in their order.
    /// Either all are let in or none.
    pub async fn run_all<T, F>(&self, class: Class, tasks: Vec<F>) -> Result<Vec<T>, Refused>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        let span = kit::traced!("sign", class = class.as_str(), signatures = tasks.len(), error = Empty);
        let (jobs, gathered) = together(tasks);
        let signed = async {
            self.0.0.push_all(class, jobs).inspect_err(|_| SIGNING_REFUSED.add(1, &[class.as_str()]))?;
            gathered.wait().await
        };
        let signed = signed.instrument(span.clone()).await;
        if let Err(error) = &signed {
            span.record("error", error.to_string());
        }
        signed
    }

    /// How many tasks wait, by class.
    pub fn waiting(&self) -> impl Iterator<Item = (Class, usize)> {
        Class::ALL.into_iter().zip(self.0.0.waiting())
    }
}

impl std::fmt::Debug for SigningPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.waiting()).finish()
    }
}

#[cfg(test)]
mod tests;

//! Jobs that are done apart and answered together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::Refused;
use super::queue::Job;

/// The results of a batch as they come in.
struct Gathering<T> {
    results: Mutex<Vec<Option<T>>>,
    missing: AtomicUsize,
    answer: Mutex<Option<oneshot::Sender<Vec<Option<T>>>>>,
    /// Nobody waits any more, so what has not begun need not.
    abandoned: AtomicBool,
}

/// The end at which the caller waits. Dropping it abandons what has not begun.
pub(super) struct Gathered<T> {
    answer: oneshot::Receiver<Vec<Option<T>>>,
    gathering: Arc<Gathering<T>>,
}

/// Makes `tasks` into jobs for the queue.
pub(super) fn together<T, F>(tasks: Vec<F>) -> (Vec<Job>, Gathered<T>)
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let (sender, answer) = oneshot::channel();
    let count = tasks.len();
    let gathering = Arc::new(Gathering {
        results: Mutex::new((0..count).map(|_| None).collect()),
        missing: AtomicUsize::new(count),
        answer: Mutex::new(Some(sender)),
        abandoned: AtomicBool::new(false),
    });
    let jobs =
        tasks.into_iter().enumerate().map(|(index, task)| job(index, task, gathering.clone())).collect();
    (jobs, Gathered { answer, gathering })
}

fn job<T, F>(index: usize, task: F, gathering: Arc<Gathering<T>>) -> Job
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    Box::new(move || {
        if gathering.abandoned.load(Ordering::Relaxed) {
            return;
        }
        // Nothing of a task that panicked is used afterwards.
        if let Ok(result) = catch_unwind(AssertUnwindSafe(task)) {
            let mut results = gathering.results.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(place) = results.get_mut(index) {
                *place = Some(result);
            }
        }
        if gathering.missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            gathering.tell();
        }
    })
}

impl<T> Gathering<T> {
    fn tell(&self) {
        let results = std::mem::take(&mut *self.results.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(answer) = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = answer.send(results);
        }
    }
}

impl<T> Gathered<T> {
    /// All results, in the order of the tasks.
    pub(super) async fn wait(mut self) -> Result<Vec<T>, Refused> {
        let results = (&mut self.answer).await.map_err(|_| Refused::Panicked)?;
        results.into_iter().collect::<Option<Vec<T>>>().ok_or(Refused::Panicked)
    }
}

impl<T> Drop for Gathered<T> {
    fn drop(&mut self) {
        self.gathering.abandoned.store(true, Ordering::Relaxed);
    }
}

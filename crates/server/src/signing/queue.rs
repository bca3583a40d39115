//! The queue between those who ask and the threads that sign.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::refused::ClassName;
use super::{Class, Refused};

/// One piece of work; it sees to its own answer.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// Bounds of what a refused caller is told to wait.
const RETRY_AT_LEAST: Duration = Duration::from_millis(100);
const RETRY_AT_MOST: Duration = Duration::from_secs(10);
/// How long a signature takes until one has been measured.
const FIRST_GUESS: Duration = Duration::from_micros(100);

/// A bounded queue of jobs by class.
pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    bound: usize,
    threads: usize,
}

struct State {
    by_class: [VecDeque<Job>; Class::ALL.len()],
    queued: usize,
    /// What one job costs, as a moving average.
    cost: Duration,
    closed: bool,
}

impl Queue {
    pub(super) fn new(bound: usize, threads: usize) -> Self {
        let state = State { by_class: Default::default(), queued: 0, cost: FIRST_GUESS, closed: false };
        Self { state: Mutex::new(state), filled: Condvar::new(), bound, threads }
    }

    /// A panic while the lock is held leaves the counters right (they move by one statement each), so the queue works on.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets all of these in, or none. An empty queue lets any number in, or a batch larger than the queue could never
    /// be signed.
    pub(super) fn push_all(&self, class: Class, jobs: Vec<Job>) -> Result<(), Refused> {
        let (count, room) = (jobs.len(), class.room(self.bound));
        let mut state = self.lock();
        if state.queued > 0 && state.queued + count > room {
            let queued = state.queued;
            let retry_after = self.retry_after(&state, queued + count - room);
            return Err(Refused::Full { class: ClassName(class), queued, room, retry_after });
        }
        state.queued += count;
        if let Some(lane) = state.by_class.get_mut(class.rank()) {
            lane.extend(jobs);
        }
        drop(state);
        if count == 1 {
            self.filled.notify_one()
        } else {
            self.filled.notify_all()
        }
        Ok(())
    }

    /// The time in which the threads get rid of `excess` jobs.
    fn retry_after(&self, state: &State, excess: usize) -> Duration {
        let jobs = u32::try_from(excess / self.threads.max(1)).unwrap_or(u32::MAX);
        state.cost.saturating_mul(jobs).clamp(RETRY_AT_LEAST, RETRY_AT_MOST)
    }

    /// Works until the queue is closed: one of these runs on each signing thread.
    pub(super) fn work(&self) {
        while let Some(job) = self.next() {
            let started = Instant::now();
            job();
            self.spent(started.elapsed());
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.by_class.iter_mut().find_map(VecDeque::pop_front) {
                state.queued -= 1;
                return Some(job);
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn spent(&self, time: Duration) {
        let mut state = self.lock();
        state.cost = (state.cost * 15 + time) / 16;
    }

    /// Ends the threads. What still waits is dropped, which its callers see.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.queued = 0;
        for lane in &mut state.by_class {
            lane.clear();
        }
        drop(state);
        self.filled.notify_all();
    }

    /// How many jobs wait, by class.
    pub(super) fn waiting(&self) -> [usize; Class::ALL.len()] {
        self.lock().by_class.each_ref().map(VecDeque::len)
    }
}

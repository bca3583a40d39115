//! A few connections that read.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use model::ports::LogError;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::line::{Dialer, Line};

pub(super) struct Readers {
    dialer: Arc<Dialer>,
    free: Mutex<Vec<Line>>,
    permits: Semaphore,
}

/// A reading connection while somebody has it; hung up unless released.
pub(super) struct Lent<'a> {
    readers: &'a Readers,
    line: Line,
    _permit: SemaphorePermit<'a>,
}

impl Readers {
    pub(super) fn new(dialer: Arc<Dialer>, most: usize) -> Self {
        Self { dialer, free: Mutex::default(), permits: Semaphore::new(most.min(Semaphore::MAX_PERMITS)) }
    }

    pub(super) async fn line(&self) -> Result<Lent<'_>, LogError> {
        let permit = self.permits.acquire().await.expect("the semaphore is never closed");
        let line = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let line = match line {
            Some(line) => line,
            None => self.dialer.dial().await?,
        };
        Ok(Lent { readers: self, line, _permit: permit })
    }
}

impl Lent<'_> {
    pub(super) fn release(self) {
        self.readers.free.lock().unwrap_or_else(PoisonError::into_inner).push(self.line);
    }
}

impl Deref for Lent<'_> {
    type Target = Line;
    fn deref(&self) -> &Line {
        &self.line
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut Line {
        &mut self.line
    }
}

//! The one connection that writes.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use model::ports::LogError;
use tokio::sync::{Mutex, MutexGuard};

use super::line::{Dialer, Line};

pub(super) struct Writer {
    dialer: Arc<Dialer>,
    line: Mutex<Option<Line>>,
}

/// The writing connection while somebody has it. Unless it is released at the end it is hung up, and what it had begun
/// is rolled back: so a failure, or a caller who went away, leaves nothing behind, and the next one dials anew.
pub(super) struct Held<'a> {
    slot: MutexGuard<'a, Option<Line>>,
    line: Line,
}

impl Writer {
    pub(super) fn new(dialer: Arc<Dialer>, line: Line) -> Self {
        Self { dialer, line: Mutex::new(Some(line)) }
    }

    pub(super) async fn line(&self) -> Result<Held<'_>, LogError> {
        let mut slot = self.line.lock().await;
        let line = match slot.take() {
            Some(line) => line,
            None => self.dialer.dial().await?,
        };
        Ok(Held { slot, line })
    }
}

impl Held<'_> {
    pub(super) fn release(mut self) {
        *self.slot = Some(self.line);
    }
}

impl Deref for Held<'_> {
    type Target = Line;
    fn deref(&self) -> &Line {
        &self.line
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Line {
        &mut self.line
    }
}

//! The file by which a test stops a server at a step that it comes to.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use harness::{Server, eventually};

/// As the program under test reads it, in debug builds.
const VARIABLE: &str = "BONAFIDE_STOP_AFTER_STEPS";
const SOON: Duration = Duration::from_secs(60);

/// Counts the steps of one server.
pub(crate) struct Countdown(PathBuf);

impl Countdown {
    /// For a server that has not been started.
    pub(crate) fn of(server: &mut Server) -> Self {
        let file = server.data().join("steps-left");
        server.set_env(VARIABLE, &file.display().to_string());
        Self(file)
    }

    /// The server stops at the step after so many.
    pub(crate) fn stop_after(&self, steps: u32) {
        fs::write(&self.0, steps.to_string()).unwrap();
    }

    /// The server stops no more.
    pub(crate) fn off(&self) {
        drop(fs::remove_file(&self.0));
    }

    /// Where the server stopped, if it did.
    pub(crate) fn stopped_at(&self) -> Option<String> {
        fs::read_to_string(&self.0).ok().filter(|text| text.contains(':'))
    }

    /// Waits until the server has stopped, and returns where.
    pub(crate) fn wait(&self, server: &mut Server) -> String {
        eventually("the server to stop at a step", SOON, || server.process().ended());
        self.stopped_at().unwrap_or_else(|| panic!("the server ended by itself: {}", server.log()))
    }
}

//! A process that runs until its value is dropped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::eventually::eventually;
use crate::locate;

const TAIL_LINES: usize = 40;

/// A child with its output in a file. Dropping it kills it by pid; while a test panics, the end of its output is shown.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// The path of the program under test, for commands that are not a server's or an agent's.
    #[must_use]
    pub fn bonafide() -> PathBuf {
        locate::bonafide()
    }

    /// Starts the command; both outputs are appended to `log`.
    ///
    /// # Panics
    /// When the program or the log cannot be opened.
    #[must_use]
    pub fn spawn(name: &str, command: &mut Command, log: &Path) -> Self {
        let file = File::options().append(true).create(true).open(log);
        let file = file.unwrap_or_else(|cause| panic!("cannot write {}: {cause}", log.display()));
        let again = file.try_clone().expect("an open file can be opened again");
        let child = command.stdin(Stdio::null()).stdout(file).stderr(again).spawn();
        let child = child.unwrap_or_else(|cause| panic!("cannot start {command:?}: {cause}"));
        Self { name: name.to_owned(), child, log: log.to_path_buf() }
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that it has printed, and all that earlier processes with the same log have.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
    }

    /// Waits until the log contains `text`.
    ///
    /// # Panics
    /// When that takes longer than `limit`.
    pub fn wait_for_log(&self, text: &str, limit: Duration) {
        eventually(&format!("{} to log {text:?}", self.name), limit, || {
            self.log().contains(text).then_some(())
        });
    }

    /// The exit code, once it has ended: `Some(None)` when a signal ended it.
    pub fn ended(&mut self) -> Option<Option<i32>> {
        self.child.try_wait().expect("a child can be waited for").map(|status| status.code())
    }

    /// Waits for it to end by itself and returns the exit code, `None` when a signal ended it.
    ///
    /// # Panics
    /// When that takes longer than `limit`.
    pub fn wait(&mut self, limit: Duration) -> Option<i32> {
        let what = format!("{} to end", self.name);
        eventually(&what, limit, || self.ended())
    }

    /// Asks it to stop (`SIGTERM`) and returns the exit code.
    ///
    /// # Panics
    /// When it has not stopped after ten seconds.
    pub fn stop(&mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.wait(Duration::from_secs(10))
    }

    /// Ends it without a chance to say goodbye (`SIGKILL`).
    pub fn kill9(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal to the process, if it still runs.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_none() {
            let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
            let _ = kill_process(pid.expect("a child has a pid"), signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines.get(lines.len().saturating_sub(TAIL_LINES)..).unwrap_or_default();
            eprintln!("--- {} said last:\n{}\n---", self.name, tail.join("\n"));
        }
    }
}

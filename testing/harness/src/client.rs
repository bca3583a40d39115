//! The programs of `testing/clients`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::locate;
use crate::ran::Ran;
use crate::skip::Missing;

/// The program that is an external plugin of every kind.
///
/// # Errors
/// [`Missing::Tool`] when it was not built.
pub fn plugin() -> Result<PathBuf, Missing> {
    let path = locate::clients_folder().join("plugin/plugin");
    if path.exists() {
        return Ok(path);
    }
    Err(Missing::Tool(format!("{} is missing: scripts/install-test-tools builds it", path.display())))
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// go-spiffe.
    Go,
    /// py-spiffe.
    Python,
    /// java-spiffe.
    Java,
    /// The crate `spiffe`.
    Rust,
}

impl Client {
    /// Says whether it was built.
    ///
    /// # Errors
    /// [`Missing::Tool`] when it was not.
    pub fn available(self) -> Result<(), Missing> {
        let path = self.path();
        if path.exists() {
            return Ok(());
        }
        Err(Missing::Tool(format!("{} is missing: scripts/install-test-tools builds it", path.display())))
    }

    fn path(self) -> PathBuf {
        match self {
            Self::Go => locate::clients_folder().join("go/client"),
            Self::Python => locate::clients_folder().join("python/bin/python"),
            Self::Java => locate::clients_folder().join("java/classpath.txt"),
            Self::Rust => locate::profile_folder().join("client-rust"),
        }
    }

    /// The client as a workload of the agent whose `SPIFFE_ENDPOINT_SOCKET` is `endpoint`.
    #[must_use]
    pub fn command(self, endpoint: &str, arguments: &[&str]) -> Command {
        let mut command = match self {
            Self::Go | Self::Rust => Command::new(self.path()),
            Self::Python => {
                let mut command = Command::new(self.path());
                command.arg(sources().join("python/client.py"));
                command
            }
            Self::Java => {
                let classpath = std::fs::read_to_string(self.path()).unwrap_or_default();
                let classes = locate::clients_folder().join("java/classes");
                let mut command = Command::new("java");
                command.arg("-cp").arg(format!("{}:{}", classes.display(), classpath.trim())).arg("Client");
                command
            }
        };
        command.args(arguments).env("SPIFFE_ENDPOINT_SOCKET", endpoint);
        command
    }

    /// Runs one mode to its end.
    #[must_use = "a test looks at how a client ended"]
    pub fn run(self, endpoint: &str, arguments: &[&str]) -> Ran {
        Ran::run(&mut self.command(endpoint, arguments))
    }

    /// Starts one mode; [`Running::finish`] closes its standard input, which ends `serve`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(self, endpoint: &str, arguments: &[&str]) -> Running {
        let mut command = self.command(endpoint, arguments);
        let line = format!("{command:?}");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|cause| panic!("cannot start {line}: {cause}"));
        let stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        Running { child, stdout, line }
    }
}

fn sources() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../clients")
}

/// A client that runs; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    line: String,
}

impl Running {
    /// The next line that it prints, as JSON.
    ///
    /// # Panics
    /// When it ends first, or prints something else.
    pub fn next_line(&mut self) -> serde_json::Value {
        let mut text = String::new();
        let read = self.stdout.read_line(&mut text);
        read.unwrap_or_else(|cause| panic!("cannot read from {}: {cause}", self.line));
        serde_json::from_str(&text).unwrap_or_else(|cause| panic!("{} printed {text:?}: {cause}", self.line))
    }

    /// Closes its standard input, waits for its end, and returns the rest of what it printed.
    ///
    /// # Panics
    /// When its output cannot be read.
    #[must_use = "a test looks at how a client ended"]
    pub fn finish(mut self) -> Ran {
        drop(self.child.stdin.take());
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).expect("a pipe of text can be read");
        let status = self.child.wait().expect("a child can be waited for");
        Ran { command: self.line.clone(), code: status.code(), stdout, stderr: String::new() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

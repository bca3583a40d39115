//! Starts the program and learns where it serves.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use crate::checksum::{Checksum, ChecksumError};
use crate::handshake::{self, Handshake, HandshakeError};
use crate::output;

/// How long a plugin may take until it serves (go-plugin).
const PATIENCE: Duration = Duration::from_secs(60);

/// A program to run.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The plugin's type, as SPIRE has it: `KeyManager`.
    pub kind: &'static str,
    /// The plugin's name in the configuration.
    pub name: String,
    /// The program; a relative path counts from the working directory, `PATH` is not asked.
    pub command: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it must be.
    pub checksum: Option<Checksum>,
}

/// Why the program did not come to serve.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// It is not what it should be.
    #[error(transparent)]
    Checksum(#[from] ChecksumError),
    /// It cannot be started.
    #[error(
        "cannot start {program}: {cause}; check the path, that it may be executed, and what it is built for"
    )]
    Spawn {
        /// The program.
        program: String,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// It ended or said nothing in time.
    #[error("{program} {what} before it said where it serves")]
    Silent {
        /// The program.
        program: String,
        /// What it did.
        what: String,
    },
    /// It said something else.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
}

/// A program that serves.
pub(crate) struct Launched {
    pub(crate) child: Child,
    pub(crate) place: Handshake,
    pub(crate) stdout: BufReader<ChildStdout>,
}

impl Launch {
    /// Starts the program. It gets the signal KILL when the calling thread ends: call this from one that lasts.
    pub(crate) async fn start(&self, whose: output::Whose, sockets: &Path) -> Result<Launched, LaunchError> {
        let program = std::path::absolute(&self.command).unwrap_or_else(|_| self.command.clone());
        if let Some(checksum) = self.checksum {
            checksum.check(&program)?;
        }
        let shown = program.display().to_string();
        let mut child = self
            .command(&program, sockets)
            .spawn()
            .map_err(|cause| LaunchError::Spawn { program: shown.clone(), cause })?;
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(output::log(whose, stderr));
        }
        let silent = |what: String| LaunchError::Silent { program: shown.clone(), what };
        let Some(stdout) = child.stdout.take() else { return Err(silent("has no output".to_owned())) };
        let mut stdout = BufReader::new(stdout);
        let mut reader = (&mut stdout).take(handshake::MAX_LINE as u64);
        let line = tokio::time::timeout(PATIENCE, output::line(&mut reader)).await;
        let line = line.map_err(|_| silent(format!("was silent for {PATIENCE:?}")))?;
        let Some(line) = line else {
            let ended = child.wait().await.map_or_else(|e| e.to_string(), |status| status.to_string());
            return Err(silent(format!("ended ({ended})")));
        };
        Ok(Launched { place: Handshake::parse(&line)?, child, stdout })
    }

    fn command(&self, program: &Path, sockets: &Path) -> Command {
        let mut command = std::process::Command::new(program);
        command.args(&self.args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(self.environment(sockets));
        end_with_this_thread(&mut command);
        let mut command = Command::from(command);
        command.kill_on_drop(true);
        command
    }

    /// Beside this process's own. Key and value of the cookie are the type: a program that is started by hand, or as
    /// another type, says so and ends.
    fn environment(&self, sockets: &Path) -> [(&'static str, OsString); 5] {
        [
            (self.kind, self.kind.into()),
            ("PLUGIN_MIN_PORT", "10000".into()),
            ("PLUGIN_MAX_PORT", "25000".into()),
            ("PLUGIN_PROTOCOL_VERSIONS", handshake::PROTOCOL.into()),
            ("PLUGIN_UNIX_SOCKET_DIR", sockets.into()),
        ]
    }
}

/// Has the kernel end the child when the thread that starts it ends, so that no plugin outlives this process.
#[allow(unsafe_code, reason = "there is no safe way to have something done between fork and exec")]
fn end_with_this_thread(command: &mut std::process::Command) {
    let parent = rustix::process::getpid();
    let ask = move || {
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        // It may have ended before it was asked.
        match rustix::process::getppid() == Some(parent) {
            true => Ok(()),
            false => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    };
    // SAFETY: between fork and exec only async-signal-safe calls may be made. `ask` makes two system calls and
    // compares two numbers; it allocates nothing and takes no lock, also when it fails.
    unsafe {
        command.pre_exec(ask);
    }
}

//! Where the lines go.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{LogError, Output};

/// An open output. A line is written in one piece.
pub(super) enum Sink {
    Stdout,
    File { path: PathBuf, file: Mutex<File> },
}

impl Sink {
    pub(super) fn open(output: Output) -> Result<Self, LogError> {
        match output {
            Output::Stdout => Ok(Self::Stdout),
            Output::File(path) => Ok(Self::File { file: Mutex::new(open(&path)?), path }),
        }
    }

    pub(super) fn reopen(&self) -> Result<(), LogError> {
        if let Self::File { path, file } = self {
            let fresh = open(path)?;
            *file.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        Ok(())
    }

    /// Writes a line. A failure is said on standard error: there is no other place left.
    pub(super) fn write(&self, line: &[u8]) {
        let written = match self {
            Self::Stdout => std::io::stdout().lock().write_all(line),
            Self::File { file, .. } => file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line),
        };
        if let Err(error) = written {
            let _ = writeln!(std::io::stderr(), "Failed to write to log, {error}");
        }
    }
}

fn open(path: &Path) -> Result<File, LogError> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
        .map_err(|cause| LogError::Open { path: path.to_owned(), cause })
}

//! The database's file before SQLite sees it.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use model::ports::LogError;

use super::line::Target;
use super::network;

/// Makes sure that the file is there, for its owner alone if it is new, and may be written.
pub(super) fn prepare(path: &Path) -> Result<Target, LogError> {
    // An absolute path: SQLite would take one that begins with "file:" for a URI.
    let path = std::path::absolute(path).map_err(|error| unwritable(path, &error))?;
    let directory = path.parent().map_or_else(|| PathBuf::from("/"), Path::to_path_buf);
    network::refuse(&directory)?;
    match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
        Ok(_) => sync(&directory).map_err(|error| unwritable(&path, &error))?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => check(&path)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let why = format!("its directory {} does not exist; make it first", directory.display());
            return Err(LogError::ReadOnly { place: path.display().to_string(), why });
        }
        Err(error) => return Err(unwritable(&path, &error)),
    }
    let shown = path.display().to_string();
    Ok(Target { filename: path, shown: shown.into() })
}

/// The file is there: may it be written?
fn check(path: &Path) -> Result<(), LogError> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::IsADirectory => {
            let why = "it is a directory; the connection string names a file".to_owned();
            Err(LogError::ReadOnly { place: path.display().to_string(), why })
        }
        Err(error) => Err(unwritable(path, &error)),
    }
}

/// A new name in a directory is durable once the directory is.
fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn unwritable(path: &Path, error: &io::Error) -> LogError {
    let place = path.display().to_string();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => LogError::Full { place },
        _ => LogError::ReadOnly { place, why: error.to_string() },
    }
}

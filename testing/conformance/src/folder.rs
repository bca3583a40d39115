//! The folder of vectors: written by the generator, read by whoever judges.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::checks::{TOPICS, Topic};
use crate::format::Check;

/// What went wrong with the folder.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum FolderError {
    #[error("cannot read or write {path}")]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{path} is no file of vectors")]
    Format {
        path: PathBuf,
        #[source]
        cause: serde_json::Error,
    },
    #[error("{0} is the id of no check: see checks.rs")]
    Unknown(String),
}

/// Where the vectors stand in this repository.
pub fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors")
}

/// The file of a check below `folder`.
pub fn file_of(folder: &Path, check: &str) -> Result<PathBuf, FolderError> {
    let topic = Topic::of(check).ok_or_else(|| FolderError::Unknown(check.to_owned()))?;
    Ok(folder.join(topic.folder).join(format!("{check}.json")))
}

/// Reads all checks that have a file, in order.
pub fn read(folder: &Path) -> Result<Vec<Check>, FolderError> {
    let mut checks = Vec::new();
    for id in TOPICS.iter().flat_map(Topic::ids) {
        let path = file_of(folder, &id)?;
        match fs::read(&path) {
            Ok(text) => checks
                .push(serde_json::from_slice(&text).map_err(|cause| FolderError::Format { path, cause })?),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(FolderError::File { path, cause }),
        }
    }
    Ok(checks)
}

/// Writes the file of each check, and removes those of checks that are no longer made.
pub fn write(folder: &Path, checks: &[Check]) -> Result<(), FolderError> {
    for topic in &TOPICS {
        for stale in files(&folder.join(topic.folder))? {
            let made = checks.iter().any(|check| file_of(folder, &check.check).is_ok_and(|p| p == stale));
            if !made {
                fs::remove_file(&stale).map_err(|cause| FolderError::File { path: stale, cause })?;
            }
        }
    }
    for check in checks {
        let path = file_of(folder, &check.check)?;
        let text = check.to_json().map_err(|cause| FolderError::Format { path: path.clone(), cause })?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|cause| FolderError::File { path: parent.into(), cause })?;
        }
        fs::write(&path, text).map_err(|cause| FolderError::File { path, cause })?;
    }
    Ok(())
}

/// The files of vectors in one topic's folder, in order.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let failed = |cause| FolderError::File { path: folder.to_owned(), cause };
    let entries = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

//! Gets the text of a configuration file.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kit::hcl::Document;

use super::problem::{Notice, Problem};
use super::report::{Ledger, Place};

/// A file's name and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name that messages carry.
    pub path: String,
    /// The text, after expansion.
    pub text: String,
    /// Variables that the text refers to and that are not set.
    pub unset_variables: Vec<String>,
}

impl Source {
    /// Text that is already at hand.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), unset_variables: Vec::new() }
    }
}

/// A file that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such file.
    #[error("there is no configuration file at {path}; name it with the -config flag", path = .0.display())]
    Missing(PathBuf),
    /// It is there, yet cannot be read.
    #[error("configuration file {path} cannot be read; check its permissions", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// It is longer than a configuration can be.
    #[error("configuration file {path} is longer than 1 MiB; is it the right file?", path = .0.display())]
    TooLong(PathBuf),
    /// It is not text.
    #[error("configuration file {path} is not UTF-8 text; save it as UTF-8", path = .0.display())]
    NotText(PathBuf),
}

/// The longest configuration file, in bytes.
const LONGEST: u64 = 1 << 20;

/// Reads the file at `path`. With `expand_env`, `$NAME` and `${NAME}` in it become environment variables.
///
/// # Errors
/// If there is no such file, or it cannot be read as text.
pub fn read(path: &Path, expand_env: bool) -> Result<Source, ReadError> {
    let text = text_of(path).map_err(|cause| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        match cause.kind() {
            ErrorKind::NotFound => ReadError::Missing(path),
            ErrorKind::FileTooLarge => ReadError::TooLong(path),
            ErrorKind::InvalidData => ReadError::NotText(path),
            _ => ReadError::Unreadable { path, cause },
        }
    })?;
    let path = path.display().to_string();
    if expand_env {
        let expanded = kit::hcl::expand_env(&text);
        return Ok(Source { path, text: expanded.text, unset_variables: expanded.unset });
    }
    Ok(Source { path, text, unset_variables: Vec::new() })
}

/// Parses a source; what is wrong with it is reported.
pub(crate) fn document(ledger: &Ledger, source: &Source) -> Option<Document> {
    let file: Arc<str> = Arc::from(source.path.as_str());
    for name in &source.unset_variables {
        ledger.warn(Place::Missing { file: Arc::clone(&file) }, Notice::VariableUnset(name.clone()));
    }
    kit::hcl::parse(&source.path, source.text.as_bytes())
        .map_err(|error| ledger.mistake(Place::At { file, at: error.at() }, Problem::Syntax(error)))
        .ok()
}

/// The text of a file of at most 1 MiB.
pub(crate) fn text_of(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) {
        return Err(std::io::Error::new(ErrorKind::FileTooLarge, "it is longer than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| std::io::Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"))
}

//! SQLite's result codes by what an operator can do about them.

use model::ports::LogError;
use sqlx::Error;

use crate::code::CodeError;

// Primary result codes, the low byte of what SQLite returns.
const PERM: i32 = 3;
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READONLY: i32 = 8;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const CONSTRAINT: i32 = 19;
const NOTADB: i32 = 26;
/// The shared memory beside the WAL could not be made larger.
const IOERR_SHMSIZE: i32 = 10 | (19 << 8);

pub(super) fn log_error(place: &str, error: Error) -> LogError {
    match error {
        Error::Database(error) => {
            let code = error.code().and_then(|code| code.parse().ok()).unwrap_or_default();
            by_code(place, code, error.message())
        }
        Error::ColumnDecode { .. } | Error::Decode(_) | Error::RowNotFound => {
            LogError::Corrupt(format!("{place}: {error}"))
        }
        other => LogError::Unavailable(format!("{place}: {other}")),
    }
}

fn by_code(place: &str, code: i32, message: &str) -> LogError {
    let place = place.to_owned();
    match (code, code & 0xff) {
        (_, FULL) | (IOERR_SHMSIZE, _) => LogError::Full { place },
        (_, READONLY | CANTOPEN | PERM) => LogError::ReadOnly { place, why: message.to_owned() },
        (_, BUSY | LOCKED) => LogError::Unavailable(format!(
            "{place} is locked by another program ({message}); is a second server running on it?"
        )),
        (_, CORRUPT | NOTADB) => LogError::Corrupt(format!(
            "{place}: {message}; restore it from a backup, or move it away to begin anew"
        )),
        (_, CONSTRAINT) => {
            LogError::Corrupt(format!("{place}: its tables contradict each other ({message})"))
        }
        _ => LogError::Unavailable(format!("{place}: {message} (SQLite result code {code})")),
    }
}

/// A row that cannot be read.
pub(super) fn unreadable(what: &str, error: &CodeError) -> LogError {
    LogError::Corrupt(format!("a row of table {what}: {error}"))
}

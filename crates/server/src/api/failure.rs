//! Refusals in SPIRE's words: a message, perhaps a colon and its cause, and a line in the log.

use std::fmt::Display;

use proto::spire::api::types;
use tonic::{Code, Status};

use crate::registry::RegistryError;

/// A status with a line in the log.
pub(crate) fn refuse(code: Code, message: &str) -> Status {
    match code {
        Code::InvalidArgument => tracing::error!("Invalid argument: {message}"),
        _ => tracing::error!("{}", capitalized(message)),
    }
    Status::new(code, message)
}

/// `message: cause` with a line in the log.
pub(crate) fn refuse_for(code: Code, message: &str, cause: impl Display) -> Status {
    match code {
        Code::InvalidArgument => tracing::error!(error = %cause, "Invalid argument: {message}"),
        _ => tracing::error!(error = %cause, "{}", capitalized(message)),
    }
    Status::new(code, format!("{message}: {cause}"))
}

/// `message: cause`, as `InvalidArgument`.
pub(crate) fn invalid(message: &str, cause: impl Display) -> Status {
    refuse_for(Code::InvalidArgument, message, cause)
}

/// `message: cause` for a registry that did not do as asked.
pub(crate) fn registry(message: &str, error: &RegistryError) -> Status {
    refuse_for(registry_code(error), message, error)
}

/// The limiter's refusal, in SPIRE's words.
pub(crate) fn limited(message: &str, cause: &Status) -> Status {
    refuse_for(cause.code(), message, cause.message())
}

/// The code of a registry's refusal or failure.
pub(crate) fn registry_code(error: &RegistryError) -> Code {
    use model::WriteFault as F;
    use model::ports::LogError as L;
    match error {
        RegistryError::Refused(F::SimilarEntry(_) | F::Exists(_)) => Code::AlreadyExists,
        RegistryError::Refused(F::NotFound(_)) => Code::NotFound,
        RegistryError::Refused(F::Conflict(_)) => Code::Aborted,
        RegistryError::Refused(F::NoBundle(_)) => Code::NotFound,
        RegistryError::Refused(F::BundleInUse(_)) => Code::FailedPrecondition,
        RegistryError::Refused(F::TokenExpired) => Code::InvalidArgument,
        RegistryError::Log(cause) => match **cause {
            L::Full { .. } => Code::ResourceExhausted,
            L::Unavailable(_) => Code::Unavailable,
            L::ReadOnly { .. } => Code::FailedPrecondition,
            L::Corrupt(_) | L::Schema(_) => Code::Internal,
        },
        RegistryError::Stopped => Code::Unavailable,
    }
}

/// The most items of one batch, so that one request cannot hold the writer for long.
pub(crate) const MAX_BATCH: usize = 10_000;

/// Refuses a batch that would hold the writer for long.
pub(crate) fn bounded(count: usize, most: usize) -> Result<(), Status> {
    match count > most {
        true => Err(Status::invalid_argument(format!(
            "a batch of {count} is too large: send at most {most} at a time"
        ))),
        false => Ok(()),
    }
}

/// The status of one item of a batch.
pub(crate) fn item(code: Code, message: impl Into<String>) -> Option<types::Status> {
    Some(types::Status { code: code as i32, message: message.into() })
}

/// The status of an item that went well.
pub(crate) fn ok() -> Option<types::Status> {
    item(Code::Ok, "OK")
}

/// An item's status from a whole call's.
pub(crate) fn item_of(status: &Status) -> Option<types::Status> {
    item(status.code(), status.message())
}

fn capitalized(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

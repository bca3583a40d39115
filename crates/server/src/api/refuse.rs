//! Refusals that have no cause beyond their message.

use std::fmt::Display;

use proto::spire::api::types;
use tonic::{Code, Status};

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

/// The limiter's refusal, in SPIRE's words.
pub(crate) fn limited(message: &str, cause: &Status) -> Status {
    refuse_for(cause.code(), message, cause.message())
}

/// The same as the status of one item.
pub(crate) fn item(status: &Status) -> Option<types::Status> {
    Some(types::Status { code: status.code() as i32, message: status.message().to_owned() })
}

fn capitalized(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

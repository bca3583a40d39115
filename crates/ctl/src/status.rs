//! gRPC statuses in the form that SPIRE's commands print, which scripts look for.

use tonic::{Code, Status};

/// The status in a line: `rpc error: code = NotFound desc = …`.
pub(crate) fn line(status: &Status) -> String {
    format!("rpc error: code = {} desc = {}", name(status.code()), status.message())
}

/// The name of a status code as Go's gRPC library spells it.
pub(crate) fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "Canceled",
        Code::Unknown => "Unknown",
        Code::InvalidArgument => "InvalidArgument",
        Code::DeadlineExceeded => "DeadlineExceeded",
        Code::NotFound => "NotFound",
        Code::AlreadyExists => "AlreadyExists",
        Code::PermissionDenied => "PermissionDenied",
        Code::ResourceExhausted => "ResourceExhausted",
        Code::FailedPrecondition => "FailedPrecondition",
        Code::Aborted => "Aborted",
        Code::OutOfRange => "OutOfRange",
        Code::Unimplemented => "Unimplemented",
        Code::Internal => "Internal",
        Code::Unavailable => "Unavailable",
        Code::DataLoss => "DataLoss",
        Code::Unauthenticated => "Unauthenticated",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_reads_as_in_go() {
        let status = Status::cancelled("gone");
        assert_eq!(line(&status), "rpc error: code = Canceled desc = gone");
    }
}

//! What a server means when it refuses an agent (SPIRE 1.16, `PermissionDeniedDetails`).

use proto::spire::api::types::{PermissionDeniedDetails, permission_denied_details::Reason};
use tonic::{Code, Status};

const DETAILS: &str = "spire.api.types.PermissionDeniedDetails";

/// What a refused agent has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Prove its node again.
    Reattest,
    /// Stop: it is banned.
    Banned,
}

/// Reads a status; `None` when it is no refusal of the agent as such.
pub(crate) fn read(status: &Status) -> Option<Refusal> {
    if status.code() != Code::PermissionDenied {
        return None;
    }
    let details: PermissionDeniedDetails = kit::status::detail(status, DETAILS)?;
    match details.reason() {
        Reason::AgentExpired
        | Reason::AgentNotActive
        | Reason::AgentNotAttested
        | Reason::AgentMustReattest => Some(Refusal::Reattest),
        Reason::AgentBanned => Some(Refusal::Banned),
        Reason::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(reason: Reason) -> Status {
        let details = PermissionDeniedDetails { reason: reason.into() };
        kit::status::with_detail(
            Code::PermissionDenied,
            "no",
            &format!("type.googleapis.com/{DETAILS}"),
            &details,
        )
    }

    #[test]
    fn the_reason_decides_what_to_do() {
        assert_eq!(read(&status(Reason::AgentExpired)), Some(Refusal::Reattest));
        assert_eq!(read(&status(Reason::AgentMustReattest)), Some(Refusal::Reattest));
        assert_eq!(read(&status(Reason::AgentBanned)), Some(Refusal::Banned));
        assert_eq!(read(&status(Reason::Unknown)), None);
        assert_eq!(read(&Status::permission_denied("plain")), None);
    }
}

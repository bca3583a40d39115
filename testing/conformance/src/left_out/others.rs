//! What binds policies and the program as a whole.

use super::{LeftOut, left, shown};

pub(super) const ALL: &[LeftOut] = &[
    left("ID-29", "it advises those who write policies: the crate hands over all claims and judges by none"),
    left("ID-30", "it binds policies, which are the caller's"),
    left(
        "WIT-24",
        "it allows one token to serve several instances of a workload, which is up to a server with the profile of \
         WIT-SVIDs; it is not offered",
    ),
    shown(
        "STAB-01",
        "it binds the program: what is not stable is off",
        "crates/agent/tests/workload.rs",
        "arguments_are_checked_as_spire_does",
    ),
    left(
        "STAB-02",
        "it binds the documents: the revisions of the drafts are written where they are implemented",
    ),
    shown(
        "STAB-03",
        "it binds the program: what is stable is not gated",
        "testing/harness/tests/clients.rs",
        "go_spiffe_fetches_validates_and_follows_a_rotation_without_a_failed_request",
    ),
    left("STAB-04", "it binds whoever maintains the program"),
];

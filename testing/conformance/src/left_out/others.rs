//! What binds policies and the program as a whole.

use super::{LeftOut, left, shown};

pub(super) const ALL: &[LeftOut] = &[
    left(
        "ID-29",
        "claims without a specification are not used for decisions unless told so",
        "it advises those who write policies: the crate hands over all claims and judges by none",
    ),
    left(
        "ID-30",
        "what is said is qualified by the trust domain that says it",
        "it binds policies, which are the caller's",
    ),
    left(
        "WIT-24",
        "one token may serve several instances of a workload on one host",
        "it is up to a server with the profile of WIT-SVIDs, which is not offered",
    ),
    shown(
        "STAB-01",
        "what is incubating is off until it is asked for",
        "it binds the program: what is not stable is off",
        "crates/agent/tests/workload.rs",
        "arguments_are_checked_as_spire_does",
    ),
    left(
        "STAB-02",
        "the revision that is implemented is written down",
        "it binds the documents: the revisions of the drafts are written where they are implemented",
    ),
    shown(
        "STAB-03",
        "stability is judged section by section",
        "it binds the program: what is stable is not gated",
        "testing/harness/tests/clients.rs",
        "go_spiffe_fetches_validates_and_follows_a_rotation_without_a_failed_request",
    ),
    left(
        "STAB-04",
        "stable documents may grow incubating sections",
        "it binds whoever maintains the program",
    ),
];

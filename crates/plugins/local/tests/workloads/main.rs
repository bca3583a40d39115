//! Processes as the agent sees them: pinned, and looked at.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod child;
mod peer;
mod unix;

/// Nothing in the test's own process; see [`child`].
#[test]
fn child() {
    child::obey();
    peer::listen_in_another_namespace();
}

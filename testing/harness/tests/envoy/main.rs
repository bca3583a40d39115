//! Real Envoys that get their keys and authorities from the agent.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bootstrap;
mod compare;
#[path = "../checks/authorities.rs"]
#[allow(dead_code, reason = "each test program takes what it needs")]
mod forced;
mod jwt;
mod load;
mod mesh;

/// Says whether a test can run, and if not, why.
pub(crate) fn missing(test: &str) -> bool {
    match harness::Envoy::available() {
        Ok(()) => false,
        Err(missing) => {
            harness::skip(test, &missing);
            true
        }
    }
}

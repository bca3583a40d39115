//! Node attestation by certificate, with our server and agent.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "checks/x509pop.rs"]
mod check;

use harness::Program::Bonafide;

#[test]
fn a_node_attests_by_its_certificate_and_again_after_an_eviction() {
    check::node_attests_by_its_certificate(Bonafide, Bonafide);
}

//! Node attestors with our server and agent.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "checks/node_attestors.rs"]
mod check;

use harness::Program::Bonafide;

#[test]
fn a_node_attests_by_its_name() {
    check::node_attests_by_its_name(Bonafide, Bonafide);
}

#[test]
fn a_node_attests_by_its_ssh_host_certificate() {
    check::node_attests_by_its_host_certificate(Bonafide, Bonafide);
}

#[test]
fn a_node_attests_by_its_tpm() {
    check::node_attests_by_its_tpm(Bonafide, Bonafide);
}

#[test]
fn the_agents_key_stays_in_the_tpm() {
    check::the_agents_key_stays_in_the_tpm(Bonafide);
}

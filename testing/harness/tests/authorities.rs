//! Authorities that operators move on.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checks;
#[path = "checks/authorities.rs"]
mod forced;

use std::time::Duration;

use checks::{domain_with_a_client, mutual_tls_survives};
use forced::{Family, jwt_is_replaced, x509_is_replaced};
use harness::Program::Bonafide;
use harness::{Client, Options, skip};

#[test]
fn a_forced_rotation_replaces_every_svid_at_once_and_then_drops_the_old_authority() {
    let domain = domain_with_a_client(Options::default());
    let took = x509_is_replaced(&domain, Bonafide);
    assert!(took < Duration::from_secs(3), "command to new SVID took {took:?}");
    jwt_is_replaced(&domain, Bonafide);
}

#[test]
fn an_authority_that_was_activated_by_hand_outlives_a_restart_of_the_server() {
    let mut domain = domain_with_a_client(Options::default());
    let family = Family { domain: &domain, commands: Bonafide, name: "x509" };
    let old = family.replace();
    let active = family.stage("active");
    domain.server().restart();
    let family = Family { domain: &domain, commands: Bonafide, name: "x509" };
    assert_eq!((family.stage("active"), family.stage("old")), (active, old.clone()));
    family.taint(&old);
    family.revoke(&old);
}

#[test]
fn go_and_rust_keep_mutual_tls_up_across_a_forced_rotation() {
    if let Err(missing) = Client::Go.available().and_then(|()| Client::Rust.available()) {
        return skip("mutual TLS of Go and Rust across a forced rotation", &missing);
    }
    let domain = domain_with_a_client(Options::default());
    mutual_tls_survives(&domain, "40", || {
        x509_is_replaced(&domain, Bonafide);
    });
}

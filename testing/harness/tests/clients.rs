//! Clients that others wrote, on a real server and agent.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checks;

use checks::{client_gets_along, domain_with_a_client, mutual_tls_survives_a_rotation};
use harness::{Client, Options, skip};

fn gets_along(test: &str, client: Client) {
    if let Err(missing) = client.available() {
        return skip(test, &missing);
    }
    client_gets_along(client, &domain_with_a_client(Options::default().short_svids()));
}

#[test]
fn go_spiffe_fetches_validates_and_follows_a_rotation_without_a_failed_request() {
    gets_along("go-spiffe", Client::Go);
}

#[test]
fn py_spiffe_fetches_validates_and_follows_a_rotation_without_a_failed_request() {
    gets_along("py-spiffe", Client::Python);
}

#[test]
fn java_spiffe_fetches_validates_and_follows_a_rotation_without_a_failed_request() {
    gets_along("java-spiffe", Client::Java);
}

#[test]
fn rust_spiffe_fetches_validates_and_follows_a_rotation_without_a_failed_request() {
    gets_along("rust-spiffe", Client::Rust);
}

#[test]
fn go_and_rust_keep_mutual_tls_up_across_a_rotation_of_the_signing_authority() {
    if let Err(missing) = Client::Go.available().and_then(|()| Client::Rust.available()) {
        return skip("mutual TLS of Go and Rust", &missing);
    }
    let domain = domain_with_a_client(Options::default().short_authority());
    mutual_tls_survives_a_rotation(&domain, "110");
}

//! The number and the refresh hint that a bundle has after each change.

use harness::Program::{Bonafide, Spire};
use harness::{Domain, Options, Program, skip};

/// What a bundle says of itself, and how many authorities of each kind it has.
#[derive(Debug, PartialEq)]
struct Numbers {
    after: &'static str,
    sequence: u64,
    refresh_hint: u64,
    x509: usize,
    jwt: usize,
}

/// All kinds of a server's own changes, and one by an operator that changes nothing.
const ORDERS: [(&str, &str); 8] = [
    ("x509", "prepare"),
    ("x509", "activate"),
    ("x509", "taint"),
    ("x509", "revoke"),
    ("jwt", "prepare"),
    ("jwt", "activate"),
    ("jwt", "taint"),
    ("jwt", "revoke"),
];

/// A number in JSON, which SPIRE prints as text where it has 64 bits.
fn number(value: &serde_json::Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

fn look(domain: &Domain, after: &'static str) -> Numbers {
    let shown = domain.cli_of(Bonafide, &["bundle", "show", "-output", "json"]).succeeds().json();
    let count = |kind: &str| shown[kind].as_array().map_or(0, Vec::len);
    Numbers {
        after,
        sequence: number(&shown["sequence_number"]),
        refresh_hint: number(&shown["refresh_hint"]),
        x509: count("x509_authorities"),
        jwt: count("jwt_authorities"),
    }
}

/// The numbers of a server of this make, from its first start through all of its orders and a restart.
fn numbers(program: Program) -> Vec<Numbers> {
    let mut domain = Domain::start_server(Options::default().programs(program, program));
    let mut seen = vec![look(&domain, "the first start")];
    for (family, verb) in ORDERS {
        let of = if verb == "activate" { "prepared" } else { "old" };
        let show = ["localauthority", family, "show", "-output", "json"];
        let stages = domain.cli_of(Bonafide, &show).succeeds().json();
        let id = stages[of]["authority_id"].as_str().unwrap_or_default().to_owned();
        let mut order = vec!["localauthority", family, verb];
        if verb != "prepare" {
            order.extend(["-authorityID", &id]);
        }
        domain.cli_of(Bonafide, &order).succeeds();
        seen.push(look(&domain, verb));
    }
    domain.server().restart();
    seen.push(look(&domain, "a restart"));
    seen
}

#[test]
fn a_bundle_counts_its_changes_and_nothing_else() {
    let ours = numbers(Bonafide);
    let steps: Vec<u64> = ours.windows(2).map(|two| two[1].sequence - two[0].sequence).collect();
    assert_eq!(steps, [1, 0, 1, 1, 1, 0, 1, 1, 0], "an activation and a restart change no bundle: {ours:?}");
    assert_eq!((ours[0].x509, ours[0].jwt), (1, 1));
    assert_eq!((ours[1].x509, ours[4].x509, ours[5].jwt, ours[8].jwt), (2, 1, 2, 1));
    if let Err(missing) = Spire.available() {
        return skip("the numbers of SPIRE's bundle", &missing);
    }
    assert_eq!(ours, numbers(Spire), "ours, then SPIRE's");
}

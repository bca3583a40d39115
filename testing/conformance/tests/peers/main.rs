//! The vectors of X.509-SVIDs and JWT-SVIDs, judged by the libraries that others use and by OpenSSL.
//!
//! Where one of them disagrees with a vector, `testing/vectors/disagreements.json` says who is right and why. A
//! disagreement that is not listed there fails the test, and so does one that is listed and no longer occurs.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod clients;
mod disagreements;
mod openssl;
mod work;

use std::io::Write as _;

use disagreements::Disagreements;
use harness::{Client, Missing, skip};
use work::Verdicts;

/// Compares the verdicts of one peer, and writes how it went past the test's captured output.
fn compare(peer: &str, verdicts: Result<Verdicts, Missing>) {
    let verdicts = match verdicts {
        Ok(verdicts) => verdicts,
        Err(missing) => return skip(&format!("vectors of {peer}"), &missing),
    };
    let report = Disagreements::read().compare(peer, &verdicts);
    std::io::stderr().write_all(report.text.as_bytes()).unwrap();
    assert!(report.faults.is_empty(), "{peer}:\n{}", report.faults.join("\n"));
}

/// Those that the libraries can judge.
fn without_lists() -> Vec<work::Item> {
    work::svids().into_iter().filter(|item| item.kind != "x509-svid-with-crls").collect()
}

#[test]
fn go_spiffe_agrees_with_the_vectors_but_for_what_is_listed() {
    compare("go-spiffe", clients::ask(Client::Go, &without_lists()));
}

#[test]
fn java_spiffe_agrees_with_the_vectors_but_for_what_is_listed() {
    compare("java-spiffe", clients::ask(Client::Java, &without_lists()));
}

#[test]
fn py_spiffe_agrees_with_the_vectors_but_for_what_is_listed() {
    // Of X.509-SVIDs it looks at its own alone, whose chains it does not verify: what is refused would say nothing.
    let own = |item: &work::Item| item.kind == "jwt-svid" || (item.accept && item.private_key.is_some());
    let items: Vec<_> = without_lists().into_iter().filter(own).collect();
    compare("py-spiffe", clients::ask(Client::Python, &items));
}

#[test]
fn openssl_agrees_with_the_vectors_but_for_what_is_listed() {
    let verdicts = openssl::judge(&work::svids());
    if let Ok(verdicts) = &verdicts {
        let forged = verdicts.values().filter(|(item, _)| item.kind == "jwt-svid" && !item.accept).count();
        assert!(forged > 5, "it is asked about {forged} tokens whose signature does not hold");
    }
    compare("OpenSSL", verdicts);
}

#[test]
fn the_listed_disagreements_are_of_vectors_that_exist() {
    let names: Vec<String> = work::svids().into_iter().map(|item| item.name).collect();
    Disagreements::read().check(&names);
}

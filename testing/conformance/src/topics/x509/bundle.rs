//! How signing certificates stand in a bundle (§6).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::scene::*;
use super::check;
use crate::forge::bundle::{base64, document, jwt, with, without, x509};
use crate::forge::keys::key;
use crate::forge::moment::NOW;
use crate::format::{Check, Input, Only};
use crate::kinds::bundle::document as read;
use crate::kinds::input::Bytes;
use crate::kinds::publish_bundle::{Held, Members as Publish};
use crate::kinds::svid_by_document::Chain;

pub(super) fn checks() -> Vec<Check> {
    vec![
        use_is_set(),
        no_kid(),
        one_certificate(),
        self_signed(),
        key_of_certificate(),
        no_certificate(),
        several(),
        union(),
    ]
}

/// The root as outcomes of reading show it.
fn rooted_in() -> Value {
    json!([Bytes(root().self_signed())])
}

/// The root is published.
fn publish(certificate: Vec<u8>) -> Input {
    let bundle = Held { x509: vec![Bytes(certificate)], sequence: 1, ..Held::default() };
    Publish { trust_domain: "example.org".to_owned(), bundle, previous: None }.into()
}

/// The workload's chain, by someone who read this entry, beside another's that does no harm.
fn believed(entry: Value) -> Input {
    chain_by(&document(&[entry, x509(&other_root("example.org"))]))
}

fn chain_by(text: &str) -> Input {
    let documents = [("example.org".to_owned(), text.to_owned())].into();
    Chain { chain: vec![Bytes(leaf().signed_by(&root()))], documents, now: NOW }.into()
}

fn use_is_set() -> Check {
    let with_use = |text: &str| believed(with(x509(&root()), &[("use", json!(text))]));
    check("X509-32", "§6.1", "a signing certificate has the use \"x509-svid\"")
        .yields(
            "published",
            publish(root().self_signed()),
            json!({ "keys": [x509(&root())] }),
            "it has this use",
        )
        .accepts("read", believed(x509(&root())), "it has this use")
        .refuses("another use", with_use("jwt-svid"), "it is for something else")
        .refuses("in capitals", with_use("X509-SVID"), "uses are compared with regard to case")
        .refuses("no use", believed(without(x509(&root()), "use")), "it is for nothing")
}

fn no_kid() -> Check {
    check("X509-33", "§6.1", "a signing certificate has no key id")
        .yields(
            "published",
            publish(root().self_signed()),
            json!({ "keys": [x509(&root())] }),
            "there is none",
        )
        .accepts(
            "read with one",
            believed(with(x509(&root()), &[("kid", json!("k"))])),
            "a reader does without",
        )
        .only(Only::Accepted, "it binds publishers, and nobody can ask them for one")
}

fn one_certificate() -> Check {
    let der = root().self_signed();
    let with_x5c = |value: Value| believed(with(x509(&root()), &[("x5c", value)]));
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", base64(&der));
    let url = URL_SAFE_NO_PAD.encode(&der);
    check("X509-34", "§6.1", "x5c is one certificate in standard base64")
        .yields("published", publish(der.clone()), json!({ "keys": [x509(&root())] }), "it is one, in base64")
        .accepts("read", believed(x509(&root())), "it is one, in base64")
        .refuses("a leaf published", publish(leaf().signed_by(&root())), "it is no authority")
        .refuses("PEM", with_x5c(json!([pem])), "it is no base64")
        .refuses("base64url", with_x5c(json!([url])), "it is another base64")
        .refuses("no list", with_x5c(json!(base64(&der))), "it is a list (RFC 7517 §4.7)")
        .refuses("no certificate", with_x5c(json!([base64(b"certificate")])), "it cannot be read")
}

fn self_signed() -> Check {
    let entry = with(x509(&intermediate()), &[("x5c", json!([base64(&intermediate().signed_by(&root()))]))]);
    let documents = [("example.org".to_owned(), document(&[entry]))].into();
    let below = Chain { chain: vec![Bytes(leaf().signed_by(&intermediate()))], documents, now: NOW };
    check("X509-35", "§6.1", "the certificate should sign itself")
        .accepts("one that does", believed(x509(&root())), "it signs itself")
        .accepts("one that does not", below.into(), "a reader takes it all the same")
        .only(Only::Accepted, "it advises, and forbids nothing")
}

fn key_of_certificate() -> Check {
    let foreign =
        with(key("ec256-other").jwk(), &[("use", json!("x509-svid")), ("x5c", x509(&root())["x5c"].clone())]);
    let rsa = with(
        key("rsa2048-root").jwk(),
        &[("use", json!("x509-svid")), ("x5c", x509(&root())["x5c"].clone())],
    );
    check("X509-36", "§6.1; RFC 7517 §4.7", "the key's parameters are those of the certificate")
        .yields(
            "published",
            publish(root().self_signed()),
            json!({ "keys": [x509(&root())] }),
            "they are the same key",
        )
        .accepts("read", believed(x509(&root())), "they are the same key")
        .refuses("another key", believed(foreign), "they are of another key")
        .refuses("another kind of key", believed(rsa), "they are of another key")
}

fn no_certificate() -> Check {
    let beside = |entry: Value| read(&document(&[entry, x509(&root()), jwt("k", key("ec256-other"))]));
    let rest = json!({ "x509": rooted_in(), "jwt": ["k"], "passed_over": [0] });
    let gone = |value: Value| with(x509(&other_root("example.org")), &[("x5c", value)]);
    check("X509-37", "§6.2", "an entry without a certificate is skipped, and the rest is taken")
        .yields(
            "no x5c",
            beside(without(x509(&other_root("example.org")), "x5c")),
            rest.clone(),
            "the rest is there",
        )
        .yields("empty x5c", beside(gone(json!([]))), rest.clone(), "the rest is there")
        .yields("x5c of nothing", beside(gone(Value::Null)), rest.clone(), "the rest is there")
        .yields("x5c that is no base64", beside(gone(json!(["%"]))), rest, "the rest is there")
        .refuses("believed without", believed(without(x509(&root()), "x5c")), "what is skipped roots nothing")
}

fn several() -> Check {
    let both = [base64(&root().self_signed()), base64(&other_root("example.org").self_signed())];
    let [first, second] = both.clone();
    let entry = with(x509(&root()), &[("x5c", json!(both))]);
    let turned = with(x509(&other_root("example.org")), &[("x5c", json!([second, first]))]);
    let only = |entry: Value| chain_by(&document(&[entry]));
    check("X509-38", "§6.2", "of several certificates the first counts")
        .yields(
            "read",
            read(&document(std::slice::from_ref(&entry))),
            json!({ "x509": rooted_in() }),
            "the first was taken",
        )
        .accepts("the first", only(entry), "it is the root")
        .refuses("the second", only(turned), "it is not looked at")
}

fn union() -> Check {
    let other = other_root("example.org");
    let only = |keys: &[Value]| chain_by(&document(keys));
    check("X509-39", "§6.2", "all entries together are the authorities; without any there is no X.509-SVID")
        .yields(
            "two",
            read(&document(&[x509(&other), x509(&root())])),
            json!({ "x509": [Bytes(other.self_signed()), Bytes(root().self_signed())] }),
            "both are authorities",
        )
        .accepts("the second of two", only(&[x509(&other), x509(&root())]), "each is an authority")
        .refuses("tokens only", only(&[jwt("k", key("ec256-root"))]), "the trust domain has no X.509-SVIDs")
        .refuses("nothing", only(&[]), "the trust domain has no X.509-SVIDs")
        .refuses("another's", only(&[x509(&other)]), "the root is not among them")
}

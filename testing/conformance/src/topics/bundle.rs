//! SPIFFE_Trust_Domain_and_Bundle.md.

use serde_json::{Value, json};

use super::scene::*;
use crate::forge::bundle::{document, jwt, wit, with, without, x509};
use crate::forge::keys::key;
use crate::forge::moment::NOW;
use crate::format::{Check, Input, Only};
use crate::kinds::bundle::document as read;
use crate::kinds::bundle_map::{held, publish as publish_map, read as read_map};
use crate::kinds::federation::Hint;
use crate::kinds::input::{Bytes, KeyEntry};
use crate::kinds::publish_bundle::{Held, Members as Publish};
use crate::kinds::svid_by_document::{Chain, Documents, Token};

/// The checks of this topic.
pub(super) fn checks() -> Vec<Check> {
    vec![
        one_key_one_domain(),
        pairs(),
        revoked(),
        key_set(),
        more_members(),
        sequence_set(),
        sequence_grows(),
        sequence_width(),
        hint_set(),
        hint_seconds(),
        keys_present(),
        unknown_type(),
        type_set(),
        empty(),
        no_more_parameters(),
        use_set(),
        unknown_use(),
        no_secrets(),
        map_domains(),
        map_names(),
        map_published_once(),
        map_duplicates(),
        map_published_without_hint(),
        map_hint(),
        map_whole(),
        default_refresh(),
    ]
}

fn check(id: &str, section: &str, requirement: &str) -> Check {
    Check::new(id, &format!("SPIFFE_Trust_Domain_and_Bundle.md {section}"), requirement)
}

fn documents(all: &[(&str, String)]) -> Documents {
    all.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect()
}

/// The workload's chain, by someone who has read this document of its trust domain.
fn by(text: String) -> Input {
    chain_by(leaf().signed_by(&root()), &[("example.org", text)])
}

fn chain_by(leaf: Vec<u8>, all: &[(&str, String)]) -> Input {
    Chain { chain: vec![Bytes(leaf)], documents: documents(all), now: NOW }.into()
}

/// The workload's token, by someone who has read this document of its trust domain.
fn token_by(text: String) -> Input {
    let token = signed(HEADER, &claims(ID));
    let documents = documents(&[("example.org", text)]);
    Token { token, audience: vec!["audience".to_owned()], documents, now: NOW }.into()
}

fn entry(kid: &str, name: &str) -> KeyEntry {
    KeyEntry { kid: kid.to_owned(), spki: Bytes(key(name).spki()) }
}

/// A root and a key for tokens.
fn contents(sequence: u64) -> Held {
    Held {
        x509: vec![Bytes(root().self_signed())],
        jwt: vec![entry("k", "ec256-other")],
        sequence,
        refresh_hint: Some(600),
        ..Held::default()
    }
}

fn publish(bundle: Held, previous: Option<Held>) -> Input {
    Publish { trust_domain: "example.org".to_owned(), bundle, previous }.into()
}

fn keys() -> Value {
    json!([x509(&root()), jwt("k", key("ec256-other"))])
}

/// A document with members of these texts.
fn raw(members: &str) -> Input {
    read(&format!("{{{members}}}"))
}

fn one_key_one_domain() -> Check {
    let (own, others) = (document(&[x509(&root())]), document(&[x509(&other_root("other.org"))]));
    check("BND-01", "§2, §6.2", "a key is an authority of one trust domain")
        .accepts(
            "each its own",
            held(documents(&[("example.org", own.clone()), ("other.org", others)])),
            "no key is in both",
        )
        .refuses(
            "one root in two",
            held(documents(&[("example.org", own.clone()), ("other.org", own)])),
            "each could speak for the other",
        )
        .refuses(
            "one key for tokens in two",
            held(documents(&[
                ("example.org", document(&[jwt("a", key("ec256-other"))])),
                ("other.org", document(&[jwt("b", key("ec256-other"))])),
            ])),
            "whatever it is called",
        )
}

fn pairs() -> Check {
    let all = [
        ("example.org", document(&[x509(&root())])),
        ("other.org", document(&[x509(&other_root("other.org"))])),
    ];
    let of = |id: &str, by_other: bool| {
        let leaf = leaf_of(id);
        let der = if by_other { leaf.signed_by(&other_root("other.org")) } else { leaf.signed_by(&root()) };
        chain_by(der, &all)
    };
    check("BND-02", "§3", "an SVID is judged by the bundle of its own trust domain alone")
        .accepts("the one", of(ID, false), "its root is in it")
        .accepts("the other", of("spiffe://other.org/x", true), "its root is in it")
        .refuses("the one by the other", of(ID, true), "the root is in another's")
        .refuses("the other by the one", of("spiffe://other.org/x", false), "the root is in another's")
        .refuses("of a third", of("spiffe://third.org/x", false), "nothing is known of it")
}

fn revoked() -> Check {
    let other = other_root("example.org");
    check("BND-03", "§3", "a key that is not in the newer bundle is revoked")
        .accepts("before", by(document(&[x509(&root()), x509(&other)])), "the root is there")
        .refuses("after", by(document(&[x509(&other)])), "it was taken out")
        .accepts("a token before", token_by(document(&[jwt("k", key("ec256-root"))])), "the key is there")
        .refuses("a token after", token_by(document(&[jwt("l", key("ec256-other"))])), "it was taken out")
}

fn key_set() -> Check {
    check("BND-04", "§4; RFC 7517 §5", "a bundle is a JWK Set")
        .accepts("one", read(&document(&[x509(&root())])), "it is one")
        .refuses("a list of keys", read(&json!([x509(&root())]).to_string()), "it is an object")
        .refuses("a key", read(&x509(&root()).to_string()), "it has no keys in it")
        .refuses("no JSON", read("keys"), "it is JSON")
        .refuses("more behind it", raw(r#""keys":[]} {"#), "it is one object")
        .refuses("keys twice", raw(r#""keys":[],"keys":[]"#), "readers differ on which of them counts")
}

fn more_members() -> Check {
    check("BND-05", "§4.1", "further members may be there and are not needed")
        .accepts("one", raw(r#""keys":[],"foo":1"#), "it is not looked at")
        .accepts("a deep one", raw(r#""keys":[],"foo":{"keys":{"keys":[[[]]]}}"#), "it is not looked at")
        .accepts("none", raw(r#""keys":[]"#), "none is needed")
        .only(Only::Accepted, "it allows, and forbids only to need them")
}

fn sequence_set() -> Check {
    check("BND-06", "§4.1.1", "a sequence number should be there")
        .yields("published", publish(contents(7), None), json!({ "spiffe_sequence": 7 }), "it is there")
        .accepts("read without", raw(r#""keys":[]"#), "a reader does without")
        .only(Only::Accepted, "it advises, and forbids nothing")
}

fn sequence_grows() -> Check {
    let other = |sequence| Held { jwt: vec![entry("l", "ec384-leaf")], ..contents(sequence) };
    check("BND-07", "§4.1.1", "the sequence number grows with each change of the contents")
        .accepts("greater", publish(other(8), Some(contents(7))), "it grew")
        .accepts("much greater", publish(other(u64::MAX), Some(contents(7))), "it grew")
        .accepts("the same again", publish(contents(7), Some(contents(7))), "nothing changed")
        .refuses("the same number", publish(other(7), Some(contents(7))), "the contents are others")
        .refuses("a smaller number", publish(other(6), Some(contents(7))), "it went back")
        .refuses("a smaller number for the same", publish(contents(6), Some(contents(7))), "it went back")
}

fn sequence_width() -> Check {
    let number = |text: &str| raw(&format!(r#""keys":[],"spiffe_sequence":{text}"#));
    check("BND-08", "§4.1.1", "a sequence number has all its 64 bits")
        .yields(
            "beyond a double",
            number("9007199254740993"),
            json!({ "sequence": 9_007_199_254_740_993_u64 }),
            "a double would make it even",
        )
        .yields("the greatest", number("18446744073709551615"), json!({ "sequence": u64::MAX }), "64 bits")
        .refuses("one more", number("18446744073709551616"), "it would be cut")
        .refuses("below zero", number("-1"), "it never was smaller than nothing")
        .refuses("a fraction", number("1.5"), "it is an integer")
        .refuses("a text", number("\"3\""), "it is an integer")
}

fn hint_set() -> Check {
    check("BND-09", "§4.1.2", "a refresh hint should be there")
        .yields("published", publish(contents(1), None), json!({ "spiffe_refresh_hint": 600 }), "it is there")
        .accepts("read without", raw(r#""keys":[]"#), "a reader does without")
        .only(Only::Accepted, "it advises, and forbids nothing")
}

fn hint_seconds() -> Check {
    let hint = |text: &str| raw(&format!(r#""keys":[],"spiffe_refresh_hint":{text}"#));
    let publish = |seconds| publish(Held { refresh_hint: Some(seconds), ..contents(1) }, None);
    let none = json!({ "refresh_hint": null });
    check(
        "BND-10",
        "§4.1.2",
        "a refresh hint is a whole number of seconds, and no reader spins or stalls for it",
    )
    .yields("published", publish(600), json!({ "spiffe_refresh_hint": 600 }), "it is one")
    .refuses("nothing published", publish(0), "no reader can follow it")
    .refuses("ten years published", publish(315_360_000), "a key could not be revoked for ten years")
    .yields("read", hint("600"), json!({ "refresh_hint": 600 }), "it is one")
    .yields("zero", hint("0"), none.clone(), "it says nothing")
    .yields("below zero", hint("-5"), none, "it says nothing")
    .yields("ten years", hint("315360000"), json!({ "refresh_hint": 31_536_000 }), "a year is believed")
    .refuses("a fraction", hint("1.5"), "it is an integer")
    .refuses("a text", hint("\"600\""), "it is an integer")
}

fn keys_present() -> Check {
    let nothing = Held { sequence: 1, ..Held::default() };
    check("BND-11", "§4.1.3", "there is a list of keys, which may be empty")
        .accepts("empty", raw(r#""keys":[]"#), "it is there")
        .yields("published empty", publish(nothing, None), json!({ "keys": [] }), "it is a list")
        .refuses("none", raw(""), "it is not there")
        .refuses("null", raw(r#""keys":null"#), "it is no list")
        .refuses("an object", raw(r#""keys":{}"#), "it is no list")
}

fn unknown_type() -> Check {
    let beside = |entry: Value| read(&document(&[entry, x509(&root())]));
    let rest = json!({ "x509": [Bytes(root().self_signed())], "jwt": [], "passed_over": [0] });
    let point = jwt("k", key("ec256-other"));
    let check = check("BND-12", "§4.1.3, §4.2.1", "a key of an unknown type is passed over alone");
    [
        ("a new type", json!({ "kty": "AKP", "use": "jwt-svid", "kid": "m", "pub": "AAAA" })),
        ("a new curve", with(point.clone(), &[("crv", json!("secp256k1"))])),
        ("a type in small letters", with(point.clone(), &[("kty", json!("ec"))])),
        ("a coordinate is missing", without(point.clone(), "y")),
        ("a point off its curve", with(point.clone(), &[("y", point["x"].clone())])),
        ("no base64url", with(point.clone(), &[("x", json!("%"))])),
        ("a number", json!(7)),
        ("a list", json!([point])),
    ]
    .into_iter()
    .fold(check, |check, (name, entry)| {
        check.yields(name, beside(entry), rest.clone(), "the authority beside it is there")
    })
    .refuses(
        "believed",
        by(document(&[with(x509(&root()), &[("kty", json!("AKP"))])])),
        "it is no authority",
    )
}

fn type_set() -> Check {
    check("BND-13", "§4.2.1", "each key has its type")
        .yields("published", publish(contents(1), None), json!({ "keys": keys() }), "they have it")
        .accepts("read", by(document(&[x509(&root())])), "it has it")
        .refuses("none", by(document(&[without(x509(&root()), "kty")])), "it has none")
}

fn empty() -> Check {
    let foreign = json!({ "kty": "AKP", "use": "x509-svid", "x5c": ["AAAA"] });
    check("BND-14", "§4.1.3", "with an empty bundle no SVID of the trust domain is valid")
        .accepts("with a root", by(document(&[x509(&root())])), "its authority is there")
        .refuses("empty", by(document(&[])), "there is no authority")
        .refuses("nothing usable", by(document(&[foreign])), "there is no authority that is understood")
        .refuses("a token, empty", token_by(document(&[])), "there is no authority")
        .refuses("another use only", by(document(&[wit("w", key("ec256-root"))])), "none is for certificates")
}

fn no_more_parameters() -> Check {
    check("BND-15", "§4.2", "a key has no members beyond those of the standards")
        .yields(
            "published",
            publish(contents(1), None),
            json!({ "keys": keys() }),
            "these members and no others",
        )
        .accepts(
            "read with more",
            by(document(&[with(x509(&root()), &[("key_ops", json!(["verify"])), ("x5t", json!("AAAA"))])])),
            "a reader does not mind",
        )
        .only(Only::Accepted, "it binds publishers, and nobody can ask them for more")
}

fn use_set() -> Check {
    let with_use = |value: Value| by(document(&[with(x509(&root()), &[("use", value)])]));
    check("BND-16", "§4.2.2", "each key has its use, in these letters")
        .yields("published", publish(contents(1), None), json!({ "keys": keys() }), "they have it")
        .accepts("read", with_use(json!("x509-svid")), "it has it")
        .refuses("in capitals", with_use(json!("X509-SVID")), "case matters")
        .refuses("sig", with_use(json!("sig")), "it is none of SPIFFE")
        .refuses("a list", with_use(json!(["x509-svid"])), "it is a text")
}

fn unknown_use() -> Check {
    let beside = |entry: Value| read(&document(&[entry, jwt("k", key("ec256-other"))]));
    let rest = json!({ "x509": [], "jwt": ["k"], "passed_over": [0] });
    let of = |value: Value| beside(with(x509(&root()), &[("use", value)]));
    check("BND-17", "§4.2.2", "a key of an unknown use, or of none, is passed over alone")
        .yields("unknown", of(json!("foo-svid")), rest.clone(), "the key beside it is there")
        .yields("none", beside(without(x509(&root()), "use")), rest.clone(), "the key beside it is there")
        .yields("in capitals", of(json!("X509-SVID")), rest.clone(), "case matters")
        .yields("null", of(Value::Null), rest, "it says nothing")
        .refuses(
            "believed",
            by(document(&[with(x509(&root()), &[("use", json!("foo-svid"))])])),
            "it is for something else",
        )
}

fn no_secrets() -> Check {
    let secret = json!({ "kty": "oct", "use": "jwt-svid", "kid": "s", "k": "AAAA" });
    let private = with(jwt("k", key("ec256-root")), &[("d", json!("AAAA"))]);
    let beside = |entry: &Value| read(&document(&[entry.clone(), x509(&root())]));
    let rest = json!({ "x509": [Bytes(root().self_signed())], "jwt": [], "passed_over": [0] });
    check("BND-18", "§4.1.3", "a symmetric or private key is no authority")
        .yields("symmetric", beside(&secret), rest.clone(), "the authority beside it is there")
        .yields("private", beside(&private), rest, "the authority beside it is there")
        .accepts("public", token_by(document(&[jwt("k", key("ec256-root"))])), "it is an authority")
        .refuses("believed", token_by(document(&[private])), "whoever reads the bundle can sign with it")
}

fn map(domains: &[(&str, String)]) -> Input {
    let members: Vec<String> = domains.iter().map(|(name, text)| format!("{}:{text}", json!(name))).collect();
    read_map(&format!(r#"{{"trust_domains":{{{}}}}}"#, members.join(",")))
}

fn one() -> String {
    document(&[jwt("k", key("ec256-root"))])
}

fn as_read(sequence: u64, keys: &[&str]) -> Value {
    json!({ "sequence": sequence, "refresh_hint": null, "jwt": keys })
}

fn map_domains() -> Check {
    check("BND-19", "§5.1.1", "a bundle map has trust domains, which may be none")
        .yields(
            "one",
            map(&[("example.org", one())]),
            json!({ "example.org": as_read(1, &["k"]) }),
            "it has one",
        )
        .accepts("none of them", map(&[]), "there may be none")
        .yields("published", publish_map(documents(&[])), json!({ "trust_domains": {} }), "it is there")
        .refuses("not there", read_map("{}"), "it must be there")
        .refuses("null", read_map(r#"{"trust_domains":null}"#), "it is an object")
        .refuses("a list", read_map(r#"{"trust_domains":[]}"#), "it is an object")
}

fn map_names() -> Check {
    let named = |name: &str| map(&[(name, one())]);
    check("BND-20", "§5.1.1", "bundles are named by their trust domains")
        .accepts("a name", named("example.com"), "it is one")
        .refuses("a SPIFFE ID", named("spiffe://example.com"), "it is no name of a trust domain")
        .refuses("in capitals", named("Example.com"), "it is no name of a trust domain")
        .refuses("empty", named(""), "it is no name of a trust domain")
}

fn map_published_once() -> Check {
    let all = documents(&[("a.org", one()), ("b.org", document(&[]))]);
    let bundle = json!({ "keys": [jwt("k", key("ec256-root"))], "spiffe_sequence": 1 });
    check("BND-21", "§5.1.1", "a publisher names each trust domain once")
        .yields(
            "published",
            publish_map(all),
            json!({ "trust_domains": { "a.org": bundle, "b.org": { "keys": [], "spiffe_sequence": 1 } } }),
            "each is there once",
        )
        .only(Only::Accepted, "what is published is a map, which cannot name one twice")
}

fn map_duplicates() -> Check {
    let again = |second: &str| {
        read_map(&format!(r#"{{"trust_domains":{{"a":{{"keys":[]}},"{second}":{{"keys":[]}}}}}}"#))
    };
    check("BND-22", "§5.1.1, §6.3", "a map that names a trust domain twice is refused")
        .accepts("two names", again("b"), "they differ")
        .refuses("one name twice", again("a"), "readers differ on which of them counts")
        .refuses("twice, once escaped", again("\\u0061"), "it is the same name")
        .refuses(
            "trust_domains twice",
            read_map(r#"{"trust_domains":{},"trust_domains":{}}"#),
            "readers differ on which of them counts",
        )
}

fn map_published_without_hint() -> Check {
    let bundle = json!({ "keys": [jwt("k", key("ec256-root"))], "spiffe_sequence": 1 });
    check("BND-23", "§5.1.1", "bundles in a map have no refresh hint")
        .yields(
            "published",
            publish_map(documents(&[("a.org", one())])),
            json!({ "trust_domains": { "a.org": bundle } }),
            "the bundle's own hint is left away",
        )
        .only(Only::Accepted, "it binds publishers, and nobody can ask them for one")
}

fn map_hint() -> Check {
    let hinted = |hint: &str| map(&[("a.org", format!(r#"{{"keys":[],"spiffe_refresh_hint":{hint}}}"#))]);
    let ignored = json!({ "a.org": as_read(0, &[]) });
    check("BND-24", "§5.1.1", "a hint in a map's bundle changes nothing")
        .yields("a second", hinted("1"), ignored.clone(), "it is not looked at")
        .yields("nonsense", hinted("\"soon\""), ignored, "it is not looked at")
        .only(Only::Accepted, "what is ignored refuses nothing")
}

fn map_whole() -> Check {
    let beside = |text: &str| map(&[("a.org", one()), ("b.org", text.to_owned())]);
    check("BND-25", "App. B.1", "a map is loaded as a whole")
        .yields(
            "both",
            beside(r#"{"keys":[]}"#),
            json!({ "a.org": as_read(1, &["k"]), "b.org": as_read(0, &[]) }),
            "both are there",
        )
        .yields(
            "a key that is passed over",
            beside(r#"{"keys":[{"kty":"AKP"}]}"#),
            json!({ "b.org": as_read(0, &[]) }),
            "that refuses no bundle",
        )
        .refuses("one without keys", beside("{}"), "half a map is none")
        .refuses("one of nonsense", beside("7"), "half a map is none")
        .refuses("one of a wrong number", beside(r#"{"keys":[],"spiffe_sequence":-1}"#), "half a map is none")
}

fn default_refresh() -> Check {
    check("BND-26", "§6.1", "without a hint a low interval is taken")
        .yields(
            "none",
            Hint { refresh_hint: None }.into(),
            json!({ "seconds": 300 }),
            "five minutes are suggested",
        )
        .only(Only::Accepted, "there is nothing to refuse in an interval")
}

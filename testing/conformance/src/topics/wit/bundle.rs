//! The keys of a bundle.

use serde_json::{Value, json};

use super::check;
use crate::forge::bundle::{document, jwt, wit as entry, x509};
use crate::forge::key::Key;
use crate::forge::keys::key;
use crate::forge::moment::NOW;
use crate::format::{Check, Input};
use crate::kinds::bundle::document as read;
use crate::kinds::input::{Bytes, KeyEntry};
use crate::kinds::publish_bundle::{Held, Members};
use crate::kinds::svid_by_document::{Documents, WitToken};
use crate::topics::scene::root;
use crate::topics::wit_scene::*;

pub(super) fn checks() -> Vec<Check> {
    vec![one_key(), published_use(), unique(), only_wit_keys(), supported()]
}

type Keys<'a> = &'a [(&'a str, &'a Key)];

fn held(jwt: Keys<'_>, wit: Keys<'_>, sequence: u64) -> Held {
    let entries = |keys: Keys<'_>| {
        keys.iter().map(|(kid, key)| KeyEntry { kid: (*kid).to_owned(), spki: Bytes(key.spki()) }).collect()
    };
    Held { jwt: entries(jwt), wit: entries(wit), sequence, ..Held::default() }
}

fn published(bundle: Held, previous: Option<Held>) -> Input {
    Members { trust_domain: "example.org".to_owned(), bundle, previous }.into()
}

fn one_key() -> Check {
    let (one, two) = (key("ec256-root"), key("ec256-other"));
    let before = || Some(held(&[], &[("w", one)], 1));
    check("WIT-04", "§2.1", "a kid is that of one key, also after it was rotated")
        .accepts("the same key", published(held(&[], &[("w", one)], 2), before()), "it is the same")
        .accepts(
            "another key of another name",
            published(held(&[], &[("w", one), ("v", two)], 2), before()),
            "it has its own",
        )
        .refuses(
            "another key",
            published(held(&[], &[("w", two)], 2), before()),
            "the name was another key's",
        )
        .refuses(
            "another key, for JWT-SVIDs",
            published(held(&[("w", two)], &[], 2), before()),
            "the name was another key's",
        )
}

fn published_use() -> Check {
    let own = key("ec256-root");
    let expect = json!({ "keys": [entry("w", own)] });
    check("WIT-30", "§6.1", "the JWK of a key for WIT-SVIDs has the use wit-svid")
        .yields("one key", published(held(&[], &[("w", own)], 1), None), expect, "its use is wit-svid")
        .refuses("no key id", published(held(&[], &[("", own)], 1), None), "it cannot be found")
}

fn unique() -> Check {
    let (one, two) = (key("ec256-root"), key("ec256-other"));
    let both = document(&[jwt("k", one), entry("k", two), entry("w", two)]);
    let expect = json!({ "jwt": ["k"], "wit": ["w"], "passed_over": [1] });
    check("WIT-31", "§6.1", "kid is there, and unique in the bundle, also among keys of the other use")
        .accepts("two names", published(held(&[("k", one)], &[("w", two)], 1), None), "they are two")
        .yields("one name read twice", read(&both), expect, "the first has it, and the second is passed over")
        .refuses("one name", published(held(&[("k", one)], &[("k", two)], 1), None), "it is that of two keys")
        .refuses(
            "one name and one key",
            published(held(&[("k", one)], &[("k", one)], 1), None),
            "a key has one use",
        )
        .refuses("no name", published(held(&[], &[("", one)], 1), None), "it is not there")
}

fn by(keys: &[Value]) -> Input {
    let documents = Documents::from([("example.org".to_owned(), document(keys))]);
    WitToken { wit: usual_wit(), documents, now: NOW }.into()
}

fn only_wit_keys() -> Check {
    let own = authority();
    check("WIT-32", "§6.2", "keys are taken by their use before a token is judged")
        .accepts("wit-svid", by(&[entry("w", own)]), "it is a key for WIT-SVIDs")
        .accepts("beside others", by(&[x509(&root()), jwt("k", own), entry("w", own)]), "it is there")
        .refuses("jwt-svid", by(&[jwt("w", own)]), "it is a key for JWT-SVIDs")
        .refuses("x509-svid", by(&[with(x509(&root()), "kid", "w".into())]), "it is an X.509 authority")
        .refuses("no use", by(&[without(entry("w", own), "use")]), "it is for nothing")
        .refuses("another use", by(&[with(entry("w", own), "use", "sig".into())]), "it is for something else")
}

fn supported() -> Check {
    check("WIT-33", "§6.2", "a bundle without keys for WIT-SVIDs supports none")
        .accepts("a key", by(&[entry("w", authority())]), "the trust domain supports them")
        .refuses(
            "none",
            by(&[x509(&root()), jwt("k", authority())]),
            "the trust domain does not support them",
        )
        .refuses("an empty bundle", by(&[]), "the trust domain supports nothing")
}

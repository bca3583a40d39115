//! The keys of a bundle.

use serde_json::{Value, json};

use super::check;
use crate::forge::bundle::{document, jwt, wit, with, without, x509};
use crate::forge::keys::key;
use crate::forge::moment::NOW;
use crate::format::{Check, Input};
use crate::kinds::bundle::document as read;
use crate::kinds::input::{Bytes, KeyEntry};
use crate::kinds::publish_bundle::{Held, Members};
use crate::kinds::svid_by_document::{Documents, Token};
use crate::topics::scene::*;

pub(super) fn checks() -> Vec<Check> {
    vec![published_use(), key_ids(), only_jwt_keys()]
}

/// What is published of these keys for JWT-SVIDs.
fn published(keys: &[(&str, &str)]) -> Input {
    let entry =
        |(kid, name): &(&str, &str)| KeyEntry { kid: (*kid).to_owned(), spki: Bytes(key(name).spki()) };
    let bundle = Held { jwt: keys.iter().map(entry).collect(), sequence: 1, ..Held::default() };
    Members { trust_domain: "example.org".to_owned(), bundle, previous: None }.into()
}

fn published_use() -> Check {
    let entry = jwt("k", key("ec256-root"));
    check("JWT-22", "§6.1", "the JWK of a key for JWT-SVIDs has the use jwt-svid")
        .yields(
            "one key",
            published(&[("k", "ec256-root")]),
            json!({ "keys": [entry] }),
            "its use is jwt-svid",
        )
        .refuses("no key id", published(&[("", "ec256-root")]), "it cannot be found")
}

fn key_ids() -> Check {
    let good = jwt("k", key("ec256-root"));
    let nameless = without(jwt("k", key("ec384-root")), "kid");
    let empty = with(jwt("k", key("ec384-root")), &[("kid", json!(""))]);
    let both = |other: &Value| read(&document(&[other.clone(), good.clone()]));
    let expect = json!({ "jwt": ["k"], "passed_over": [0] });
    check("JWT-23", "§6.1", "each JWK for JWT-SVIDs has a key id; readers pass over one that has none")
        .yields("a key without", both(&nameless), expect.clone(), "it is passed over alone")
        .yields("an empty one", both(&empty), expect, "it is passed over alone")
        .refuses("published without", published(&[("k", "ec256-root"), ("", "ec384-root")]), "it has none")
}

fn only_jwt_keys() -> Check {
    let token = signed(HEADER, &claims(ID));
    let by = |keys: &[Value]| -> Input {
        Token {
            token: token.clone(),
            audience: vec!["audience".to_owned()],
            documents: Documents::from([("example.org".to_owned(), document(keys))]),
            now: NOW,
        }
        .into()
    };
    let own = key("ec256-root");
    let unused = without(jwt("k", own), "use");
    let named = with(x509(&root()), &[("kid", json!("k"))]);
    check("JWT-24", "§6.2", "keys are taken by their use before a token is judged")
        .accepts("jwt-svid", by(&[jwt("k", own)]), "it is a key for JWT-SVIDs")
        .accepts("beside others", by(&[x509(&root()), wit("w", own), jwt("k", own)]), "it is there")
        .refuses("wit-svid", by(&[wit("k", own)]), "it is a key for WIT-SVIDs")
        .refuses("x509-svid", by(&[named]), "it is an X.509 authority")
        .refuses("no use", by(&[unused]), "it is for nothing")
        .refuses(
            "an unknown use",
            by(&[with(jwt("k", own), &[("use", json!("sig"))])]),
            "it is for something else",
        )
        .refuses(
            "for another algorithm",
            by(&[with(jwt("k", own), &[("alg", json!("ES384"))])]),
            "the JWK is for an algorithm that the key cannot do (RFC 7517 §4.4)",
        )
}

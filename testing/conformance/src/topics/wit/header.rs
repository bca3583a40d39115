//! The form of a token and its header.

use serde_json::json;

use super::check;
use crate::forge::jws::{self, part, scheme};
use crate::forge::key::Key;
use crate::forge::keys::key;
use crate::forge::moment::NOW;
use crate::format::{Check, Input};
use crate::kinds::wit_svid::Members;
use crate::topics::jwt::KEYS;
use crate::topics::wit_scene::*;

pub(super) fn checks() -> Vec<Check> {
    vec![compact(), key_id(), key_id_to_the_byte(), types(), algorithms(), other_headers()]
}

fn under(header: &str) -> Input {
    verified(&wit(header, &wit_claims()))
}

fn by(wit: String, kid: &str, key: &Key) -> Input {
    Members { wit, bundles: wit_keys(&[(kid, key)]), lifespan: None, now: NOW }.into()
}

fn compact() -> Check {
    let good = usual_wit();
    let parts: Vec<&str> = good.split('.').collect();
    let [header, body, signature] = parts.as_slice() else { unreachable!("a token has three parts") };
    let flat = json!({ "protected": header, "payload": body, "signature": signature }).to_string();
    let jwe = format!("{}.AAAA.AAAA.{body}.AAAA", part(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#));
    check("WIT-01", "§1", "a WIT-SVID is a JWT in the compact serialization of JWS")
        .accepts("three parts", verified(&good), "it is the compact serialization")
        .refuses("JSON", verified(&flat), "it is the JSON serialization")
        .refuses("JWE", verified(&jwe), "it is encrypted and not signed")
        .refuses("two parts", verified(&format!("{header}.{body}")), "there is no signature")
        .refuses("padding", verified(&format!("{good}=")), "base64url has no padding here")
}

fn key_id() -> Check {
    check("WIT-02", "§2.1, §4", "kid is there")
        .accepts("a key id", under(WIT), "it is there")
        .refuses("none", under(r#"{"alg":"ES256","typ":"wit+jwt"}"#), "it is not there")
        .refuses("an empty one", under(r#"{"alg":"ES256","kid":"","typ":"wit+jwt"}"#), "it names nothing")
        .refuses("a number", under(r#"{"alg":"ES256","kid":7,"typ":"wit+jwt"}"#), "a key id is text")
}

fn key_id_to_the_byte() -> Check {
    let named = |kid: &str| {
        let header = json!({ "alg": "ES256", "kid": kid, "typ": "wit+jwt" }).to_string();
        wit(&header, &wit_claims())
    };
    let url = "https://keys.example/a/../b?c#d";
    check("WIT-03", "§2.1", "kid is opaque, and compared to the byte")
        .accepts("the same", by(named("Key1"), "Key1", authority()), "it is the same")
        .accepts("a URL", by(named(url), url, authority()), "it is the same, whatever it looks like")
        .refuses("another case", by(named("Key1"), "key1", authority()), "it is another")
        .refuses("a space behind", by(named("Key1 "), "Key1", authority()), "it is another")
        .refuses("the same path", by(named("https://keys.example/b"), url, authority()), "it is another")
}

fn types() -> Check {
    let typed = |typ: &str| under(&format!(r#"{{"alg":"ES256","kid":"w","typ":{typ}}}"#));
    let mut made = check("WIT-05", "§2.2", "typ is wit+jwt, to the byte")
        .accepts("wit+jwt", typed(r#""wit+jwt""#), "it is that")
        .refuses("none", under(r#"{"alg":"ES256","kid":"w"}"#), "it is not there");
    for typ in [r#""JWT""#, r#""JOSE""#, r#""WIT+JWT""#, r#""application/wit+jwt""#, r#""""#, "7", "null"] {
        made = made.refuses(typ, typed(typ), "it is another");
    }
    made
}

fn algorithms() -> Check {
    let mut made = check("WIT-06", "§2.3", "the nine algorithms are accepted and no other");
    for (alg, name) in KEYS {
        let header = format!(r#"{{"alg":"{alg}","kid":"w","typ":"wit+jwt"}}"#);
        let scheme = scheme(alg).expect("it is one of the nine");
        let token = jws::token_with(&header, &wit_claims().to_string(), key(name), scheme);
        made = made.accepts(alg, by(token, "w", key(name)), "it is one of the nine");
    }
    for alg in ["EdDSA", "none", "HS256", "ML-DSA-65", "es256", ""] {
        let header = format!(r#"{{"alg":"{alg}","kid":"w","typ":"wit+jwt"}}"#);
        made = made.refuses(&format!("alg \"{alg}\""), under(&header), "it is not one of the nine");
    }
    made.refuses("no algorithm", under(r#"{"kid":"w","typ":"wit+jwt"}"#), "the header names none")
}

fn other_headers() -> Check {
    let more = |more: &str| under(&format!(r#"{{"alg":"ES256","kid":"w","typ":"wit+jwt",{more}}}"#));
    check("WIT-08", "§2.4", "unknown headers are passed over, unless they are critical")
        .accepts("an unknown one", more(r#""x":"y""#), "it is passed over")
        .accepts("a URL of keys", more(r#""jku":"https://evil.example/keys""#), "nobody looks there")
        .refuses("a critical one", more(r#""crit":["x"],"x":"y""#), "nobody understands it")
        .refuses("an empty list of critical ones", more(r#""crit":[]"#), "it must not be empty")
        .refuses("a member twice", more(r#""kid":"w""#), "verifiers take different ones (RFC 7515 §4)")
}

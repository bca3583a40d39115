//! The key that a token is bound to.

use serde_json::{Value, json};

use super::check;
use crate::forge::jws::part;
use crate::forge::keys::key;
use crate::format::{Check, Input};
use crate::topics::jwt::KEYS;
use crate::topics::wit_scene::*;

pub(super) fn checks() -> Vec<Check> {
    vec![is_there(), shape(), algorithm(), fits()]
}

fn bound(cnf: Value) -> Input {
    verified(&wit(WIT, &with(wit_claims(), "cnf", cnf)))
}

fn keyed(jwk: Value) -> Input {
    bound(json!({ "jwk": jwk }))
}

fn is_there() -> Check {
    check("WIT-10", "§3.2", "cnf is there")
        .accepts("a key", verified(&usual_wit()), "it is there")
        .refuses("none", verified(&wit(WIT, &without(wit_claims(), "cnf"))), "it is not there")
        .refuses("null", bound(Value::Null), "it is nothing")
}

fn shape() -> Check {
    let good = jwk(own(), "ES256");
    let mut private = own().private_jwk();
    private["alg"] = "ES256".into();
    let off_curve = with(good.clone(), "x", part([1; 32]).into());
    let short = with(good.clone(), "x", part([1; 31]).into());
    let twice = wit_claims().to_string().replacen(r#""kty":"#, r#""kty":"EC","kty":"#, 1);
    let twice = crate::forge::jws::token(WIT, &twice, authority());
    check("WIT-11", "§3.2; RFC 7800 §3", "cnf is an object with one public key as its jwk")
        .accepts("a jwk", keyed(good.clone()), "it holds a public key")
        .accepts(
            "a jwk with a kid in it",
            keyed(with(good.clone(), "kid", "k".into())),
            "a JWK may have a name",
        )
        .refuses("a text", bound(json!("key")), "it is no object")
        .refuses("a list", bound(json!([{ "jwk": good }])), "it is no object")
        .refuses("empty", bound(json!({})), "it holds no key")
        .refuses("kid alone", bound(json!({ "kid": "k" })), "it holds no key")
        .refuses("jku", bound(json!({ "jku": "https://keys.example" })), "it holds no key")
        .refuses("jwe", bound(json!({ "jwe": "AAAA" })), "it holds no key that can be read")
        .refuses("jwk and jwe", bound(json!({ "jwk": good, "jwe": "AAAA" })), "it may hold one of the two")
        .refuses("jwk as a text", bound(json!({ "jwk": good.to_string() })), "a JWK is an object")
        .refuses("a private key", keyed(private), "whoever reads the token has the key")
        .refuses(
            "a shared secret",
            keyed(json!({ "kty": "oct", "k": "AAAA", "alg": "HS256" })),
            "it is no public key",
        )
        .refuses("a point off its curve", keyed(off_curve), "it is no key")
        .refuses(
            "a short coordinate",
            keyed(short),
            "a coordinate has the size of its curve (RFC 7518 §6.2.1.2)",
        )
        .refuses("a member twice", verified(&twice), "verifiers take different ones (RFC 7517 §4)")
}

fn algorithm() -> Check {
    let mut made = check("WIT-12", "§3.2", "the algorithm of the key is there, and one of the nine");
    for (alg, name) in KEYS {
        made = made.accepts(alg, keyed(jwk(key(name), alg)), "it is one of the nine");
    }
    for alg in ["EdDSA", "HS256", "none", "RSA-OAEP", "es256", ""] {
        made = made.refuses(&format!("\"{alg}\""), keyed(jwk(own(), alg)), "it is not one of the nine");
    }
    made.refuses("no algorithm", keyed(own().jwk()), "it is not there").refuses(
        "a number",
        keyed(with(own().jwk(), "alg", 7.into())),
        "it is no text",
    )
}

fn fits() -> Check {
    check("WIT-13", "§3.2; RFC 7518 §3", "the algorithm fits the key")
        .accepts("ES384 and P-384", keyed(jwk(key("ec384-leaf"), "ES384")), "it is that of the curve")
        .accepts("PS512 and RSA", keyed(jwk(key("rsa2048-other"), "PS512")), "RSA has it")
        .refuses("RS256 and EC", keyed(jwk(own(), "RS256")), "it is of RSA")
        .refuses("ES384 and P-256", keyed(jwk(own(), "ES384")), "it is of another curve")
        .refuses("ES256 and RSA", keyed(jwk(key("rsa2048-other"), "ES256")), "it is of EC")
        .refuses("RSA with 1024 bits", keyed(jwk(key("rsa1024"), "RS256")), "it must have 2048 at least")
}

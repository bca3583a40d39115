//! What an authority signs.

use serde_json::json;

use super::check;
use super::header::KEYS;
use crate::forge::keys::key;
use crate::forge::moment::NOW;
use crate::format::{Check, Only};
use crate::kinds::input::Bytes;
use crate::kinds::issue_jwt_svid::Members;
use crate::topics::scene::ID;

pub(super) fn checks() -> Vec<Check> {
    vec![plain_header(), algorithms(), audience(), several_audiences()]
}

fn asked() -> Members {
    Members {
        key: Bytes(key("ec256-root").pkcs8()),
        kid: "k".to_owned(),
        alg: None,
        subject: ID.to_owned(),
        audience: vec!["audience".to_owned()],
        issued_at: NOW,
        expires_at: NOW + 300,
        issuer: None,
        jti: None,
    }
}

fn plain_header() -> Check {
    let full = Members {
        issuer: Some("https://issuer.example".to_owned()),
        jti: Some("once".to_owned()),
        ..asked()
    };
    let header = json!({ "alg": "ES256", "kid": "k", "typ": "JWT" });
    check("JWT-02", "§2", "the header of what is issued holds alg, kid and typ, and nothing else")
        .yields("the least", asked().into(), json!({ "header": header }), "the header is plain")
        .yields("issuer and jti", full.into(), json!({ "header": header }), "they are claims")
        .refuses(
            "no key id",
            Members { kid: String::new(), ..asked() }.into(),
            "verifiers find the key by it, so issuers always set it",
        )
}

fn algorithms() -> Check {
    let mut made = check("JWT-04", "§2.1", "what is issued is signed by one of the nine algorithms");
    for (alg, name) in KEYS {
        let members = Members { alg: Some(alg.to_owned()), key: Bytes(key(name).pkcs8()), ..asked() };
        let expect = json!({ "header": { "alg": alg, "kid": "k", "typ": "JWT" } });
        made = made.yields(alg, members.into(), expect, "it is one of the nine");
    }
    for alg in ["none", "HS256", "EdDSA", "ES256K", "es256"] {
        let members = Members { alg: Some(alg.to_owned()), ..asked() };
        made = made.refuses(alg, members.into(), "it is not one of the nine");
    }
    let misfit = Members { alg: Some("ES384".to_owned()), ..asked() };
    made.refuses("ES384 on P-256", misfit.into(), "the key cannot")
}

fn audience() -> Check {
    let for_ = |all: &[&str]| Members { audience: all.iter().map(|a| (*a).to_owned()).collect(), ..asked() };
    check("JWT-10", "§3.2", "what is issued has at least one audience")
        .accepts("one", for_(&["audience"]).into(), "it has one")
        .refuses("none", for_(&[]).into(), "it has none")
        .refuses("an empty one", for_(&[""]).into(), "it names nobody")
        .refuses("an empty one among others", for_(&["audience", ""]).into(), "it names nobody")
}

fn several_audiences() -> Check {
    let two = Members { audience: vec!["one".to_owned(), "two".to_owned()], ..asked() };
    let claims = json!({ "aud": ["one", "two"], "exp": NOW + 300, "iat": NOW, "sub": ID });
    check(
        "JWT-13",
        "§3.2, §7.2",
        "one audience is recommended; several make one token that holds all of them",
    )
    .yields("two", two.into(), json!({ "claims": claims }), "the token holds both")
    .only(Only::Accepted, "it is a recommendation to whoever asks")
}

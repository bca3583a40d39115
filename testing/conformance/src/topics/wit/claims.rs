//! What a token says.

use serde_json::{Value, json};

use super::check;
use crate::forge::moment::NOW;
use crate::format::{Check, Input, Only};
use crate::kinds::wit_svid::Members;
use crate::topics::wit_scene::*;

pub(super) fn checks() -> Vec<Check> {
    vec![subject(), expiry(), not_before(), lifespan(), issued_at(), audience(), other_claims()]
}

fn saying(name: &str, value: Value) -> Input {
    verified(&wit(WIT, &with(wit_claims(), name, value)))
}

fn subject() -> Check {
    let mut made = check("WIT-09", "§3.1", "sub is the SPIFFE ID of the workload")
        .accepts("a workload", verified(&usual_wit()), "it is a SPIFFE ID")
        .refuses("none", verified(&wit(WIT, &without(wit_claims(), "sub"))), "it names nobody");
    for sub in [
        "",
        "wimse://example.org/workload",
        "https://example.org/a",
        "spiffe://example.org/",
        "spiffe://Example.org/a",
    ] {
        made = made.refuses(&format!("\"{sub}\""), saying("sub", sub.into()), "it is no SPIFFE ID");
    }
    made.refuses("a list", saying("sub", json!(["spiffe://example.org/a"])), "it is no text")
}

fn expiry() -> Check {
    let mut made = check("WIT-16", "§3.4", "exp is there and has not passed")
        .accepts("one second left", saying("exp", (NOW + 1).into()), "it has not passed")
        .accepts(
            "half a second left",
            saying("exp", json!(NOW as f64 + 0.5)),
            "a NumericDate may have a fraction",
        )
        .refuses("none", verified(&wit(WIT, &without(wit_claims(), "exp"))), "it is not there")
        .refuses("ten minutes ago", saying("exp", (NOW - 600).into()), "no leeway is that long");
    for bad in [Value::Null, json!("1900000000"), json!(-1), json!(1e300), json!(true)] {
        made = made.refuses(&bad.to_string(), saying("exp", bad), "it is not a NumericDate");
    }
    made
}

fn not_before() -> Check {
    check("WIT-17", "§3.5", "nbf may be there, and must have come")
        .accepts("none", verified(&usual_wit()), "it may be left away")
        .accepts("ten seconds ago", saying("nbf", (NOW - 10).into()), "it has come")
        .accepts("now", saying("nbf", NOW.into()), "it has come")
        .refuses("in five minutes", saying("nbf", (NOW + 300).into()), "it has not come")
        .refuses("in one second", saying("nbf", (NOW + 1).into()), "no leeway is granted")
        .refuses("a text", saying("nbf", json!("1700000000")), "it is not a NumericDate")
}

fn lifespan() -> Check {
    let judged = |nbf: Option<i64>, exp: i64, lifespan: Option<u64>| -> Input {
        let claims = with(wit_claims(), "exp", exp.into());
        let claims = nbf.map_or(claims.clone(), |nbf| with(claims, "nbf", nbf.into()));
        Members { wit: wit(WIT, &claims), bundles: bundles(), lifespan, now: NOW }.into()
    };
    check("WIT-18", "§3.5", "a verifier may refuse tokens whose lifespan is above a limit of its own")
        .accepts("as long as the limit", judged(Some(NOW - 300), NOW + 300, Some(600)), "it is not above")
        .accepts("a day, without a limit", judged(Some(NOW - 300), NOW + 86_400, None), "there is no limit")
        .accepts("no nbf, and less left", judged(None, NOW + 600, Some(600)), "what is left is not above")
        .refuses("one second more", judged(Some(NOW - 301), NOW + 300, Some(600)), "it is above")
        .refuses(
            "no nbf, and more left",
            judged(None, NOW + 601, Some(600)),
            "without nbf, what is left is a part of the lifespan",
        )
}

fn issued_at() -> Check {
    check("WIT-19", "§3.6", "iat never decides whether a token holds")
        .accepts("in five minutes", saying("iat", (NOW + 300).into()), "it does not decide")
        .accepts("long ago", saying("iat", 0.into()), "it does not decide")
        .accepts("none", verified(&usual_wit()), "it may be left away")
        .refuses(
            "good, and an nbf that has not come",
            verified(&wit(WIT, &with(with(wit_claims(), "iat", NOW.into()), "nbf", (NOW + 300).into()))),
            "nbf decides",
        )
}

fn audience() -> Check {
    let mut made = check("WIT-21", "§3.8", "a WIT-SVID has no audience, and one that has is refused")
        .accepts("none", verified(&usual_wit()), "it has none");
    for aud in [json!([]), json!("audience"), json!(["audience"]), Value::Null] {
        made = made.refuses(&aud.to_string(), saying("aud", aud), "it has one");
    }
    made
}

fn other_claims() -> Check {
    check("WIT-22", "§3.8", "other claims may be there, and unknown ones are passed over")
        .accepts("a name of one's own", saying("https://x/y", json!({ "z": [1] })), "it is passed over")
        .accepts(
            "an issuer",
            saying("iss", json!("spiffe://example.org")),
            "it need not be there, and may be",
        )
        .accepts("a jti", saying("jti", json!("once")), "it need not be there, and may be")
        .only(Only::Accepted, "it asks nobody to refuse anything")
}

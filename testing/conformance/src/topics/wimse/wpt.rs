//! draft-ietf-wimse-wpt-01 and -02: proof tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};

use crate::forge::jws;
use crate::forge::key::Hash;
use crate::forge::keys::key;
use crate::forge::moment::NOW;
use crate::format::{Check, Input};
use crate::kinds::http::{Draft, Protocol, Request};
use crate::kinds::wit_request::Members;
use crate::topics::wit_scene::*;

pub(super) fn checks() -> Vec<Check> {
    vec![
        own_field(),
        authorization(),
        key_and_algorithm(),
        claims(),
        other_tokens(),
        not_understood(),
        audience(),
        expiry(),
        replay(),
    ]
}

fn check(id: &str, section: &str, requirement: &str) -> Check {
    Check::new(id, &format!("draft-ietf-wimse-wpt-01 {section}"), requirement)
}

fn saying(name: &str, value: Value) -> Input {
    proven(&with(usual_proof(), name, value))
}

fn own_field() -> Check {
    let (wit, proof) = (usual_wit(), wpt(WPT, &usual_proof()));
    let carried = |proofs: &[(&str, &str)]| -> Input {
        judged(Draft::Wpt01, get(&[&[("Workload-Identity-Token", &*wit)], proofs].concat())).into()
    };
    check("WIMSE-02", "§2", "the proof stands in the field Workload-Proof-Token, once")
        .accepts("the proof", carried(&[("Workload-Proof-Token", &proof)]), "it is there once")
        .accepts(
            "the name in another case",
            carried(&[("workload-proof-TOKEN", &proof)]),
            "names have no case",
        )
        .refuses("none", carried(&[]), "it is not there")
        .refuses(
            "two fields",
            carried(&[("Workload-Proof-Token", &proof), ("Workload-Proof-Token", &proof)]),
            "it is there twice",
        )
        .refuses(
            "two proofs",
            carried(&[("Workload-Proof-Token", &format!("{proof}, {proof}"))]),
            "it is there twice",
        )
        .refuses(
            "a scheme",
            carried(&[("Workload-Proof-Token", &format!("WPT {proof}"))]),
            "the token stands alone",
        )
        .refuses(
            "in Authorization",
            carried(&[("Authorization", &format!("WPT {proof}"))]),
            "it is another draft's place",
        )
        .refuses("no JWT", carried(&[("Workload-Proof-Token", "proof")]), "it is no token")
}

fn authorization() -> Check {
    let (wit, proof) = (usual_wit(), wpt(WPT, &usual_proof()));
    let carried = |proofs: &[(&str, &str)]| -> Input {
        judged(Draft::Wpt02, get(&[&[("Workload-Identity-Token", &*wit)], proofs].concat())).into()
    };
    let value = format!("WPT {proof}");
    Check::new(
        "WIMSE-03",
        "draft-ietf-wimse-wpt-02 §2",
        "the proof stands in Authorization, under the scheme WPT",
    )
    .accepts("the proof", carried(&[("Authorization", &value)]), "it is there once")
    .accepts(
        "the scheme in another case",
        carried(&[("Authorization", &format!("wpt {proof}"))]),
        "schemes have no case",
    )
    .refuses(
        "in the field of the drafts before",
        carried(&[("Workload-Proof-Token", &proof)]),
        "the field is gone",
    )
    .refuses("no scheme", carried(&[("Authorization", &proof)]), "the scheme must be there")
    .refuses(
        "another scheme",
        carried(&[("Authorization", &format!("Bearer {proof}"))]),
        "it is another scheme",
    )
    .refuses(
        "two fields",
        carried(&[("Authorization", &value), ("Authorization", &value)]),
        "it is there twice",
    )
    .refuses(
        "the WIT-SVID in its place",
        carried(&[("Authorization", &format!("WPT {wit}"))]),
        "a WIT-SVID never stands there",
    )
}

fn key_and_algorithm() -> Check {
    let typed = |typ: Value| -> Input {
        let header = json!({ "alg": "ES256", "typ": typ }).to_string();
        judged(Draft::Wpt01, with_wpt(&usual_wit(), &wpt(&header, &usual_proof()), &[])).into()
    };
    // A token whose key is for RS256, and proofs by that key.
    let rsa = key("rsa2048-other");
    let rsa_wit = wit(WIT, &with(wit_claims(), "cnf", json!({ "jwk": jwk(rsa, "RS256") })));
    let by = |alg: &str| -> Input {
        let header = json!({ "alg": alg, "typ": "wpt+jwt" }).to_string();
        let scheme = jws::scheme(alg).expect("it is one of the nine");
        let proof = jws::token_with(&header, &wpt_claims(&rsa_wit).to_string(), rsa, scheme);
        judged(Draft::Wpt01, with_wpt(&rsa_wit, &proof, &[])).into()
    };
    let mut made = check("WIMSE-04", "§2", "typ is wpt+jwt, and alg is that of the key of the WIT-SVID")
        .accepts("wpt+jwt", typed("wpt+jwt".into()), "it is that")
        .accepts("RS256 for RS256", by("RS256"), "it is that of the key")
        .refuses("PS256 for RS256", by("PS256"), "it holds, but is not that of the key")
        .refuses("RS512 for RS256", by("RS512"), "it holds, but is not that of the key");
    for typ in [json!("JWT"), json!("WPT+JWT"), json!("wit+jwt"), json!(""), Value::Null, json!(7)] {
        made = made.refuses(&format!("typ {typ}"), typed(typ), "it is another");
    }
    let unsecured = format!(
        "{}.{}.AAAA",
        jws::part(r#"{"alg":"none","typ":"wpt+jwt"}"#),
        jws::part(usual_proof().to_string())
    );
    made.refuses(
        "none",
        judged(Draft::Wpt01, with_wpt(&usual_wit(), &unsecured, &[])).into(),
        "nobody signed it",
    )
}

fn claims() -> Check {
    let wit = usual_wit();
    let digest = Hash::Sha256.of(wit.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let body = wit_claims().to_string();
    let mut made = check(
        "WIMSE-05",
        "§2",
        "aud, exp, jti and wth are there; wth is the hash of the token as it was sent",
    )
    .accepts("all four", proven(&usual_proof()), "they are there")
    .accepts("others too", saying("example.org/x", json!([1])), "unknown ones are passed over");
    for name in ["aud", "exp", "jti", "wth"] {
        made = made.refuses(&format!("no {name}"), proven(&without(usual_proof(), name)), "it is not there");
    }
    made.refuses("wth of the claims", saying("wth", hash(&body).into()), "it is the hash of the token")
        .refuses("wth in hex", saying("wth", hex.into()), "it is base64url")
        .refuses(
            "wth with padding",
            saying("wth", URL_SAFE.encode(&digest).into()),
            "base64url has no padding here",
        )
        .refuses(
            "wth by SHA-384",
            saying("wth", jws::part(Hash::Sha384.of(wit.as_bytes())).into()),
            "it is SHA-256",
        )
        .refuses("wth as a number", saying("wth", 7.into()), "it is text")
        .refuses("an empty jti", saying("jti", "".into()), "it names nothing")
        .refuses("jti as a number", saying("jti", 7.into()), "it is text")
        .refuses("exp as a text", saying("exp", (NOW + 60).to_string().into()), "it is a NumericDate")
}

fn other_tokens() -> Check {
    let (bearer, txn) = (("Authorization", "Bearer abc"), ("Txn-Token", "t.t.t"));
    let saying = |name: &str, token: &str, more: &[(&str, &str)]| {
        proven_beside(&with(usual_proof(), name, hash(token).into()), more)
    };
    let expect = |name: &str| json!({ "binds": [name] });
    let wit = usual_wit();
    let proof = format!("WPT {}", wpt(WPT, &with(usual_proof(), "ath", hash("abc").into())));
    let newer = get(&[("Workload-Identity-Token", &wit), ("Authorization", &proof)]);
    check(
        "WIMSE-06",
        "§2",
        "a proof binds the access token (until -01) and the transaction token of the request",
    )
    .yields("tth", saying("tth", "t.t.t", &[txn]), expect("txn-token"), "it is bound")
    .yields("ath", saying("ath", "abc", &[bearer]), expect("authorization"), "it is bound")
    .accepts("none of them", proven(&usual_proof()), "there is nothing to bind")
    .accepts(
        "credentials that are no access token",
        proven_beside(&usual_proof(), &[("Authorization", "Basic YTpi")]),
        "they are not bound by ath",
    )
    .accepts("ath in wpt-02", judged(Draft::Wpt02, newer).into(), "it is a claim that is not known there")
    .refuses("no tth", proven_beside(&usual_proof(), &[txn]), "the transaction token is not bound")
    .refuses("another tth", saying("tth", "x", &[txn]), "another token is bound")
    .refuses("two transaction tokens", saying("tth", "t.t.t", &[txn, txn]), "nobody knows which is bound")
    .refuses("no ath", proven_beside(&usual_proof(), &[bearer]), "the access token is not bound")
    .refuses("another ath", saying("ath", "x", &[bearer]), "another token is bound")
    .refuses("tth of nothing", saying("tth", "t.t.t", &[]), "the token that is bound is not there")
    .refuses("ath of nothing", saying("ath", "abc", &[]), "the token that is bound is not there")
}

fn not_understood() -> Check {
    let knowing = |fields: &[&str], oth: Option<Value>, more: &[(&str, &str)]| -> Input {
        let claims = oth.map_or_else(usual_proof, |oth| with(usual_proof(), "oth", oth));
        let request = with_wpt(&usual_wit(), &wpt(WPT, &claims), more);
        let context_fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let protocol = Protocol { context_fields, ..speaking(Draft::Wpt01) };
        Members { protocol, ..judged(Draft::Wpt01, request) }.into()
    };
    let user = ("X-User", "u.u.u");
    let bound = || Some(json!({ "x-user": hash("u.u.u") }));
    let check = check(
        "WIMSE-07",
        "§2",
        "a member of oth that is not understood refuses the proof; what is not bound decides nothing",
    );
    check
        .accepts("none", knowing(&[], None, &[]), "there is nothing to understand")
        .accepts("an empty one", knowing(&[], Some(json!({})), &[]), "there is nothing to understand")
        .accepts("one that is understood", knowing(&["X-User"], bound(), &[user]), "it is bound")
        .yields(
            "a field that nobody understands",
            knowing(&[], None, &[user]),
            json!({ "binds": [] }),
            "it is not bound, and decides nothing",
        )
        .refuses("one that is not understood", knowing(&[], bound(), &[user]), "nobody knows what it means")
        .refuses(
            "one that is, and one that is not",
            knowing(
                &["X-User"],
                Some(json!({ "x-user": hash("u.u.u"), "x-other": hash("o") })),
                &[user, ("X-Other", "o")],
            ),
            "nobody knows what the other means",
        )
        .refuses("a known one that is not bound", knowing(&["X-User"], None, &[user]), "it must be bound")
        .refuses(
            "a known one that is another",
            knowing(&["X-User"], bound(), &[("X-User", "v")]),
            "another is bound",
        )
        .refuses(
            "a known one that is not there",
            knowing(&["X-User"], bound(), &[]),
            "what is bound is not there",
        )
        .refuses("a known one twice", knowing(&["X-User"], bound(), &[user, user]), "it may be there once")
        .refuses("a list", knowing(&[], Some(json!([])), &[]), "oth is an object")
}

fn audience() -> Check {
    let (wit, evil) = (usual_wit(), "https://evil.example/orders");
    let proof = wpt(WPT, &with(usual_proof(), "aud", evil.into()));
    let claimed = |field: &str| -> Input {
        judged(Draft::Wpt01, with_wpt(&wit, &proof, &[(field, "evil.example")])).into()
    };
    let absolute = Request { target: evil.to_owned(), ..with_wpt(&wit, &proof, &[]) };
    let mut made = check("WIMSE-08", "§2, §3", "aud is the target, by the authorities of the configuration")
        .accepts("the target", saying("aud", AUDIENCE.into()), "it is the target without its query")
        .accepts("in a list", saying("aud", json!(["https://other.example", AUDIENCE])), "it is in the list")
        .accepts(
            "with a query",
            saying("aud", format!("{AUDIENCE}?x#y").into()),
            "query and fragment do not count",
        )
        .accepts(
            "in capitals",
            saying("aud", "HTTPS://Shop.Example.org/orders".into()),
            "scheme and host have no case",
        )
        .accepts(
            "with its port",
            saying("aud", "https://shop.example.org:443/orders".into()),
            "it is the port of https",
        )
        .refuses("another authority", saying("aud", evil.into()), "the service is not reached under it")
        .refuses(
            "another authority that is the Host",
            claimed("Host"),
            "the request does not say who the service is",
        )
        .refuses(
            "another that is forwarded",
            claimed("X-Forwarded-Host"),
            "the request does not say who the service is",
        )
        .refuses(
            "another in the target",
            judged(Draft::Wpt01, absolute).into(),
            "the request does not say who the service is",
        );
    for (aud, why) in [
        ("https://shop.example.org/other", "it is another path"),
        ("https://shop.example.org/ORDERS", "paths have a case"),
        ("https://shop.example.org", "it has no path"),
        ("https://shop.example.org:8443/orders", "it is another port"),
        ("http://shop.example.org/orders", "it is another scheme"),
        ("https://shop.example.org@evil.example/orders", "what is before the @ is no host"),
        ("https://x@shop.example.org/orders", "it has userinfo"),
        ("/orders", "it has no authority"),
        ("", "it is empty"),
    ] {
        made = made.refuses(&format!("\"{aud}\""), saying("aud", aud.into()), why);
    }
    made.refuses("an empty list", saying("aud", json!([])), "it is for nobody").refuses(
        "a number",
        saying("aud", 7.into()),
        "it is no text",
    )
}

fn expiry() -> Check {
    check("WIMSE-09", "§2", "exp has not passed, and is not far ahead")
        .accepts("one second left", saying("exp", (NOW + 1).into()), "it has not passed")
        .accepts("as far as the limit", saying("exp", (NOW + 300).into()), "it is not too far ahead")
        .refuses("now", saying("exp", NOW.into()), "it has passed")
        .refuses("a minute ago", saying("exp", (NOW - 60).into()), "it has passed")
        .refuses("a second above the limit", saying("exp", (NOW + 301).into()), "it is too far ahead")
        .refuses("a year", saying("exp", (NOW + 31_536_000).into()), "it is too far ahead")
        .refuses("none", proven(&without(usual_proof(), "exp")), "it is not there")
        .refuses(
            "an nbf that has not come",
            proven(&with(usual_proof(), "nbf", (NOW + 300).into())),
            "it does not hold yet (RFC 7519 §4.1.5)",
        )
}

fn replay() -> Check {
    let wit = usual_wit();
    let named = |jti: &str| with_wpt(&wit, &wpt(WPT, &with(usual_proof(), "jti", jti.into())), &[]);
    let after = |before: &[&str], jti: &str| -> Input {
        let before = before.iter().map(|jti| named(jti)).collect();
        Members { before, ..judged(Draft::Wpt01, named(jti)) }.into()
    };
    // Another workload, whose proof has the same name.
    let other = key("ec256-other");
    let other_wit = wit_of(other);
    let others = jws::token(WPT, &wpt_claims(&other_wit).to_string(), other);
    let others = with_wpt(&other_wit, &others, &[]);
    check("WIMSE-10", "§2", "the jti of a proof was not seen before while it holds")
        .accepts("a new one", after(&["one"], "two"), "it was not seen")
        .accepts("another case", after(&["one"], "ONE"), "it is another one")
        .accepts(
            "one that another sender used",
            Members { before: vec![others], ..judged(Draft::Wpt01, named("first")) }.into(),
            "senders do not know each other's names",
        )
        .refuses("the same", after(&["one"], "one"), "it was seen")
        .refuses("the same after others", after(&["one", "two", "three"], "one"), "it was seen")
}

/// A WIT-SVID for another key.
fn wit_of(own: &crate::forge::key::Key) -> String {
    wit(WIT, &with(wit_claims(), "cnf", json!({ "jwk": jwk(own, "ES256") })))
}

//! draft-ietf-wimse-workload-creds-02: the token in a request, its trust anchors and its key.

use serde_json::json;

use crate::forge::keys::key;
use crate::forge::moment::{HOUR, NOW};
use crate::format::{Check, Input};
use crate::kinds::http::Draft;
use crate::kinds::present_wit::Members as Client;
use crate::kinds::wit_request::Refused;
use crate::topics::wit_scene::*;

pub(super) fn checks() -> Vec<Check> {
    vec![field(), answers(), anchors(), own_key()]
}

fn check(id: &str, section: &str, requirement: &str) -> Check {
    Check::new(id, &format!("draft-ietf-wimse-workload-creds-02 {section}"), requirement)
}

fn field() -> Check {
    let (wit, proof) = (usual_wit(), wpt(WPT, &usual_proof()));
    let carried = |tokens: &[(&str, &str)]| -> Input {
        judged(Draft::Wpt01, get(&[tokens, &[("Workload-Proof-Token", &proof)]].concat())).into()
    };
    let one = |value: &str| carried(&[("Workload-Identity-Token", value)]);
    check("WIMSE-01", "§5.1.1", "the field Workload-Identity-Token holds one token")
        .accepts("the token", one(&wit), "it is there once")
        .accepts(
            "the name in another case",
            carried(&[("workload-IDENTITY-token", &wit)]),
            "names have no case",
        )
        .accepts("white space around it", one(&format!(" {wit} ")), "it is no part of the value")
        .refuses("no field", carried(&[]), "it is not there")
        .refuses(
            "two fields",
            carried(&[("Workload-Identity-Token", &wit), ("Workload-Identity-Token", &wit)]),
            "it is there twice",
        )
        .refuses("two tokens", one(&format!("{wit}, {wit}")), "it is there twice")
        .refuses("a scheme", one(&format!("Bearer {wit}")), "the token stands alone")
        .refuses("quotes", one(&format!("\"{wit}\"")), "the token stands alone")
        .refuses("nothing", one(""), "there is no token")
}

fn answers() -> Check {
    let answered = |draft, request, status, authenticate: Option<&str>| -> Input {
        let (protocol, bundles) = (speaking(draft), bundles());
        Refused {
            request,
            protocol,
            bundles,
            now: NOW,
            status,
            authenticate: authenticate.map(str::to_owned),
        }
        .into()
    };
    let wit = usual_wit();
    let bad_wit = || get(&[("Workload-Identity-Token", "a.b.c")]);
    let no_proof = || get(&[("Workload-Identity-Token", &wit)]);
    let source = "draft-ietf-wimse-workload-creds-02 §5.2, draft-ietf-wimse-wpt-01 §2.1, -02 §2.1";
    Check::new(
        "WIMSE-11",
        source,
        "a refused token is answered 400; a refused proof 400, or from wpt-02 on 401",
    )
    .accepts("a token, wpt-01", answered(Draft::Wpt01, bad_wit(), 400, None), "it is recommended")
    .accepts("a token, wpt-02", answered(Draft::Wpt02, bad_wit(), 400, None), "it is recommended")
    .accepts("a proof, wpt-01", answered(Draft::Wpt01, no_proof(), 400, None), "it is recommended")
    .accepts("a proof, wpt-02", answered(Draft::Wpt02, no_proof(), 401, Some("WPT")), "it is recommended")
    .accepts("a signature", answered(Draft::HttpSignature06, no_proof(), 400, None), "it is recommended")
    .refuses(
        "a token, 401",
        answered(Draft::Wpt02, bad_wit(), 401, Some("WPT")),
        "401 asks for Authorization",
    )
    .refuses(
        "a proof, wpt-01, 401",
        answered(Draft::Wpt01, no_proof(), 401, Some("WPT")),
        "it is not recommended",
    )
    .refuses("a proof, wpt-02, 400", answered(Draft::Wpt02, no_proof(), 400, None), "it is not recommended")
    .refuses(
        "a signature, 401",
        answered(Draft::HttpSignature06, no_proof(), 401, None),
        "it is not recommended",
    )
}

fn anchors() -> Check {
    let proven = |header: &str, claims: &serde_json::Value, bundles| -> Input {
        let wit = wit(header, claims);
        let request = with_wpt(&wit, &wpt(WPT, &wpt_claims(&wit)), &[]);
        crate::kinds::wit_request::Members { bundles, ..judged(Draft::Wpt01, request) }.into()
    };
    let foreign = with(wit_claims(), "sub", "spiffe://other.org/workload".into());
    let pointed = |member: &str| {
        let mut header = json!({ "alg": "ES256", "kid": "w", "typ": "wit+jwt" });
        header[member] = match member {
            "jwk" => authority().jwk(),
            "x5c" => json!(["AAAA"]),
            _ => "https://evil.example/keys".into(),
        };
        header.to_string()
    };
    let mut made =
        check("WIMSE-15", "§3, §9", "trust anchors are those of the trust domain of sub, by configuration")
            .accepts("its own trust domain", proven(WIT, &wit_claims(), bundles()), "it is configured")
            .refuses("another trust domain", proven(WIT, &foreign, bundles()), "it is not configured")
            .refuses("no trust domain", proven(WIT, &wit_claims(), wit_keys(&[])), "it has no keys");
    for member in ["jku", "x5u", "jwk", "x5c"] {
        made = made.refuses(
            &format!("{member} in the token"),
            proven(&pointed(member), &wit_claims(), wit_keys(&[("w", key("ec256-other"))])),
            "the key that it points to is not configured",
        );
    }
    let issuer = with(wit_claims(), "iss", "https://evil.example".into());
    made.refuses(
        "an issuer in the token",
        proven(WIT, &issuer, wit_keys(&[("w", key("ec256-other"))])),
        "the key that it points to is not configured",
    )
}

fn own_key() -> Check {
    let client = |wit: String, own: &crate::forge::key::Key| Client {
        wit,
        private_jwk: own.private_jwk().to_string(),
        protocol: speaking(Draft::Wpt01),
        uri: AUDIENCE.to_owned(),
        request: get(&[]),
        bundles: bundles(),
        now: NOW,
    };
    let renewed = with(wit_claims(), "cnf", json!({ "jwk": jwk(key("ec256-other"), "ES256") }));
    let renewed = wit(WIT, &renewed);
    let limited = with(own().private_jwk(), "alg", "ES384".into()).to_string();
    check(
        "WIMSE-16",
        "§9.4",
        "a key is that of one token, and not used after it has expired; ES256 is supported",
    )
    .accepts("ES256", client(usual_wit(), own()).into(), "it is supported")
    .accepts(
        "a new token and its new key",
        client(renewed.clone(), key("ec256-other")).into(),
        "they belong together",
    )
    .refuses("a new token and the old key", client(renewed, own()).into(), "they do not belong together")
    .refuses("expired", Client { now: NOW + HOUR, ..client(usual_wit(), own()) }.into(), "its time is over")
    .refuses(
        "for another algorithm",
        Client { private_jwk: limited, ..client(usual_wit(), own()) }.into(),
        "the key cannot do it",
    )
    .refuses(
        "a public key",
        Client { private_jwk: own().jwk().to_string(), ..client(usual_wit(), own()) }.into(),
        "it signs nothing",
    )
}

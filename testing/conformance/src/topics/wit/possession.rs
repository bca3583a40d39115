//! Proof of possession.

use serde_json::json;

use super::check;
use crate::forge::jws;
use crate::forge::keys::key;
use crate::forge::moment::{HOUR, NOW};
use crate::format::{Check, Input};
use crate::kinds::http::{Channel, Draft, Request};
use crate::kinds::jwt_svid;
use crate::kinds::present_wit;
use crate::kinds::wit_request::Members;
use crate::topics::wit_scene::*;
use crate::topics::{scene, wit_scene};

pub(super) fn checks() -> Vec<Check> {
    vec![
        not_a_replay_key(),
        needed(),
        presented(),
        no_bearer(),
        not_in_authorization(),
        protocols(),
        short(),
        bound(),
        once(),
        confidential(),
        no_cross_acceptance(),
    ]
}

/// A request with the usual WIT-SVID and a proof of that name.
fn named(jti: &str) -> Request {
    let wit = usual_wit();
    with_wpt(&wit, &wpt(WPT, &with(usual_proof(), "jti", jti.into())), &[])
}

fn after(before: &[Request], request: Request) -> Input {
    Members { before: before.to_vec(), ..judged(Draft::Wpt01, request) }.into()
}

fn not_a_replay_key() -> Check {
    let wit = wit(WIT, &with(wit_claims(), "jti", "wit".into()));
    let again = |jti: &str| with_wpt(&wit, &wpt(WPT, &with(wpt_claims(&wit), "jti", jti.into())), &[]);
    check("WIT-15", "§3.3", "the jti of a WIT-SVID does not make it one that holds once")
        .accepts("a second time", after(&[again("one")], again("two")), "the proof is a new one")
        .accepts("a fourth time", after(&["a", "b", "c"].map(again), again("d")), "the proof is a new one")
        .refuses(
            "a second time, with the same proof",
            after(&[again("one")], again("one")),
            "the proof was used",
        )
}

fn needed() -> Check {
    let wit = usual_wit();
    let alone = get(&[("Workload-Identity-Token", &wit)]);
    let others = jws::token(WPT, &usual_proof().to_string(), key("ec256-other"));
    let other_wit = wit_scene::wit(WIT, &with(wit_claims(), "jti", "other".into()));
    check("WIT-25", "§4, §7.1", "a WIT-SVID without a valid proof of possession is refused")
        .accepts(
            "a proof",
            judged(Draft::Wpt01, named("first")).into(),
            "it shows that the sender has the key",
        )
        .refuses("no proof", judged(Draft::Wpt01, alone).into(), "anybody could have copied it")
        .refuses(
            "a proof by another key",
            judged(Draft::Wpt01, with_wpt(&wit, &others, &[])).into(),
            "the sender has another key",
        )
        .refuses(
            "a proof for another token",
            judged(Draft::Wpt01, with_wpt(&wit, &wpt(WPT, &wpt_claims(&other_wit)), &[])).into(),
            "it is for another one",
        )
}

fn client() -> present_wit::Members {
    present_wit::Members {
        wit: usual_wit(),
        private_jwk: own().private_jwk().to_string(),
        protocol: speaking(Draft::Wpt01),
        uri: format!("https://shop.example.org{TARGET}"),
        request: get(&[]),
        bundles: bundles(),
        now: NOW,
    }
}

fn presented() -> Check {
    let speaks = |draft| present_wit::Members { protocol: speaking(draft), ..client() };
    let adds = |names: &[&str]| json!({ "adds": names });
    let foreign = key("ec256-other").private_jwk().to_string();
    check("WIT-26", "§5", "each presentation carries a proof by the key that the token is bound to")
        .yields(
            "a proof token",
            client().into(),
            adds(&["Workload-Identity-Token", "Workload-Proof-Token"]),
            "both are added",
        )
        .yields(
            "a proof token in Authorization",
            speaks(Draft::Wpt02).into(),
            adds(&["Workload-Identity-Token", "Authorization"]),
            "both are added",
        )
        .yields(
            "a message signature",
            speaks(Draft::HttpSignature06).into(),
            adds(&["Workload-Identity-Token", "Signature-Input", "Signature"]),
            "both are added",
        )
        .refuses(
            "another key",
            present_wit::Members { private_jwk: foreign, ..client() }.into(),
            "the token is bound to another",
        )
}

fn no_bearer() -> Check {
    let wit = usual_wit();
    let mut made = check("WIT-27", "§5, §7.1", "a WIT-SVID is not a bearer token").accepts(
        "with a proof",
        judged(Draft::Wpt01, named("first")).into(),
        "it is not alone",
    );
    for draft in [Draft::Wpt01, Draft::Wpt02, Draft::HttpSignature06] {
        let alone = get(&[("Workload-Identity-Token", &wit)]);
        made = made.refuses(
            &format!("alone, where {} is spoken", json!(draft).as_str().unwrap_or_default()),
            judged(draft, alone).into(),
            "it is alone",
        );
    }
    made
}

fn not_in_authorization() -> Check {
    let wit = usual_wit();
    let proof = wpt(WPT, &with(usual_proof(), "ath", hash(&wit).into()));
    let mut made = check("WIT-28", "§5, §7.1", "a WIT-SVID does not stand in Authorization").accepts(
        "in its own field",
        judged(Draft::Wpt01, named("first")).into(),
        "it belongs there",
    );
    for scheme in ["Bearer ", "bearer ", "WIT ", ""] {
        let value = format!("{scheme}{wit}");
        let both = with_wpt(&wit, &proof, &[("Authorization", &value)]);
        let instead = get(&[("Authorization", &value), ("Workload-Proof-Token", &proof)]);
        let shown = if scheme.is_empty() { "no scheme" } else { scheme.trim_end() };
        made = made
            .refuses(
                &format!("{shown}, beside its field"),
                judged(Draft::Wpt01, both).into(),
                "it stands there too",
            )
            .refuses(
                &format!("{shown}, in place of it"),
                judged(Draft::Wpt01, instead).into(),
                "it stands there",
            );
    }
    made.refuses(
        "as a JWT-SVID",
        scene::presented(&wit_scene::wit(WIT, &with(wit_claims(), "aud", json!(["audience"])))),
        "who takes bearer tokens does not take it",
    )
}

fn protocols() -> Check {
    let wit = usual_wit();
    let authorization = format!("WPT {}", wpt(WPT, &usual_proof()));
    let in_authorization = get(&[("Workload-Identity-Token", &wit), ("Authorization", &authorization)]);
    let signature = with_signature(&Covered::request(), &[]);
    check("WIT-29", "§5", "a proof is one of the WIMSE protocols, the one that is configured")
        .accepts("wpt-01", judged(Draft::Wpt01, named("first")).into(), "it is spoken")
        .accepts("wpt-02", judged(Draft::Wpt02, in_authorization.clone()).into(), "it is spoken")
        .accepts(
            "http-signature-06",
            judged(Draft::HttpSignature06, signature.clone()).into(),
            "it is spoken",
        )
        .refuses(
            "wpt-02 where wpt-01 is spoken",
            judged(Draft::Wpt01, in_authorization).into(),
            "it is not spoken",
        )
        .refuses(
            "wpt-01 where wpt-02 is spoken",
            judged(Draft::Wpt02, named("first")).into(),
            "it is not spoken",
        )
        .refuses(
            "a signature where wpt-01 is spoken",
            judged(Draft::Wpt01, signature).into(),
            "it is not spoken",
        )
}

fn short() -> Check {
    let until = |exp: i64| proven(&with(usual_proof(), "exp", exp.into()));
    check("WIT-34", "§7.2", "a proof holds for a short while")
        .accepts("one minute", until(NOW + 60), "it is short")
        .refuses("one day", until(NOW + 86_400), "it is long")
        .refuses("a second more than the limit", until(NOW + 301), "it is long")
        .refuses("over", until(NOW), "it does not hold any more")
}

fn bound() -> Check {
    let covered = Covered::request();
    let good = with_signature(&covered, &[]);
    let judged = |request| judged(Draft::HttpSignature06, request).into();
    let digest = "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:";
    let with_body = |body: &str| {
        let covered = Covered::request().and(r#""content-digest""#, digest);
        Request { body: body.to_owned(), ..with_signature(&covered, &[("Content-Digest", digest)]) }
    };
    check("WIT-35", "§7.2", "what a proof binds is compared with the request")
        .accepts("the request", judged(good.clone()), "it is what was signed")
        .accepts("the body", judged(with_body("{}")), "it is what was signed")
        .refuses(
            "another method",
            judged(Request { method: "POST".to_owned(), ..good.clone() }),
            "GET was signed",
        )
        .refuses(
            "another target",
            judged(Request { target: "/b".to_owned(), ..good.clone() }),
            "/orders was signed",
        )
        .refuses("another query", judged(Request { target: "/orders".to_owned(), ..good }), "?all was signed")
        .refuses("another body", judged(with_body("[]")), "{} was signed")
        .refuses(
            "another path, by a proof token",
            wit_scene::judged(Draft::Wpt01, Request { target: "/b".to_owned(), ..named("first") }).into(),
            "the audience of the proof is another",
        )
}

fn once() -> Check {
    let signed = with_signature(&Covered::request(), &[]);
    let again = Members { before: vec![signed.clone()], ..judged(Draft::HttpSignature06, signed) };
    check("WIT-36", "§7.2", "a proof may be made to hold once, by its own name and until it expires")
        .accepts("a new one", after(&[named("one")], named("two")), "it was not used")
        .refuses("the same", after(&[named("one")], named("one")), "it was used")
        .refuses("the same after others", after(&["one", "two"].map(named), named("one")), "it was used")
        .refuses("the same signature", again.into(), "it was used")
}

fn confidential() -> Check {
    let over = |channel| -> Input { judged(Draft::Wpt01, Request { channel, ..named("first") }).into() };
    let sends = |channel| -> Input {
        present_wit::Members { request: Request { channel, ..get(&[]) }, ..client() }.into()
    };
    check("WIT-37", "§7.3", "WIT-SVID and proof travel where others cannot read them")
        .accepts("TLS", over(Channel::Tls), "nobody reads them on the way")
        .accepts("a Unix socket", over(Channel::Local), "they do not leave the machine")
        .accepts("sent over TLS", sends(Channel::Tls), "nobody reads them on the way")
        .refuses("cleartext", over(Channel::Cleartext), "others could read them")
        .refuses("sent in cleartext", sends(Channel::Cleartext), "others could read them")
        .refuses(
            "sent after it has expired",
            present_wit::Members { now: NOW + HOUR, ..client() }.into(),
            "the token does not hold any more",
        )
}

fn no_cross_acceptance() -> Check {
    let wit_key = scene::jwt_keys("example.org", &[("w", authority())]);
    let as_jwt = |token: String| -> Input {
        jwt_svid::Members { token, audience: vec!["audience".to_owned()], bundles: wit_key.clone(), now: NOW }
            .into()
    };
    let with_audience = wit_scene::wit(WIT, &with(wit_claims(), "aud", json!(["audience"])));
    let jwt = jws::token(r#"{"alg":"ES256","kid":"w","typ":"JWT"}"#, &scene::claims(scene::ID), authority());
    check("WIT-38", "§7.1", "a WIT-SVID is no JWT-SVID, and a JWT-SVID is no WIT-SVID")
        .accepts("a WIT-SVID as one", verified(&usual_wit()), "it is one")
        .accepts("a JWT-SVID as one", as_jwt(jwt.clone()), "it is one")
        .refuses("a WIT-SVID as a JWT-SVID", as_jwt(usual_wit()), "it is of another type")
        .refuses("a WIT-SVID with an audience as a JWT-SVID", as_jwt(with_audience), "it is of another type")
        .refuses("a JWT-SVID as a WIT-SVID", verified(&jwt), "it is of another type")
}

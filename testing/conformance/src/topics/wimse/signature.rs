//! draft-ietf-wimse-http-signature-06.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::forge::key::Hash;
use crate::forge::keys::key;
use crate::forge::moment::{HOUR, NOW};
use crate::format::{Check, Input};
use crate::kinds::http::{Channel, Draft, Request, Response};
use crate::kinds::wit_response::{Members, Unsigned};
use crate::topics::scene::ID;
use crate::topics::wit_scene::*;

const BODY: &str = r#"{"item":7}"#;
const DIGEST: &str = r#""content-digest""#;

pub(super) fn checks() -> Vec<Check> {
    vec![covered(), parameters_of_requests(), responses()]
}

fn check(id: &str, requirement: &str) -> Check {
    Check::new(id, "draft-ietf-wimse-http-signature-06 §3", requirement)
}

fn digest(body: &str) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Hash::Sha256.of(body.as_bytes())))
}

fn covered() -> Check {
    let base = Covered::request;
    let whole = base()
        .and(r#""content-type""#, "application/json")
        .and(DIGEST, &digest(BODY))
        .and(r#""authorization""#, "Bearer abc")
        .and(r#""txn-token""#, "t.t.t");
    let body_digest = digest(BODY);
    let all = [
        ("Content-Type", "application/json"),
        ("Content-Digest", &*body_digest),
        ("Authorization", "Bearer abc"),
        ("Txn-Token", "t.t.t"),
    ];
    let with_body = |covered: &Covered, more: &[(&str, &str)], body: &str| -> Input {
        let request = Request { body: body.to_owned(), ..with_signature(covered, more) };
        judged(Draft::HttpSignature06, request).into()
    };
    let binds = ["authorization", "content-digest", "content-type", "txn-token", "workload-identity-token"];
    let mut made = check(
        "WIMSE-12",
        "a signature covers method, target and the fields that matter; a body has a digest",
    )
    .accepts("a plain request", signed(&base(), &[]), "it covers what is there")
    .yields(
        "with a body and tokens",
        with_body(&whole, &all, BODY),
        json!({ "binds": binds }),
        "it covers what is there",
    )
    .accepts(
        "another field too",
        signed(&base().and(r#""x-more""#, "1, 2"), &[("X-More", "1"), ("x-more", " 2 ")]),
        "it may cover more",
    )
    .refuses("not the method", signed(&base().without(0), &[]), "it must be covered")
    .refuses("not the target", signed(&base().without(1), &[]), "it must be covered")
    .refuses("not the token", signed(&base().without(2), &[]), "it must be covered");
    for (number, (name, _)) in all.iter().enumerate() {
        let refused = with_body(&whole.clone().without(3 + number), &all, BODY);
        made = made.refuses(&format!("not {name}"), refused, "it is there and must be covered");
    }
    let wrong = digest("other");
    let md5 = "md5=:AAAAAAAAAAAAAAAAAAAAAA==:";
    made.refuses("a body without a digest", with_body(&base(), &[], BODY), "the body is not bound")
        .refuses(
            "another body",
            with_body(&base().and(DIGEST, &wrong), &[("Content-Digest", &wrong)], BODY),
            "the digest is another body's",
        )
        .refuses(
            "a digest by MD5 alone",
            with_body(&base().and(DIGEST, md5), &[("Content-Digest", md5)], BODY),
            "the body is not bound",
        )
        .refuses(
            "a component twice",
            signed(&base().and(r#""@method""#, "GET"), &[]),
            "RFC 9421 §2 forbids it",
        )
        .refuses(
            "a field that is not there",
            signed(&base().and(r#""x-more""#, ""), &[]),
            "there is nothing to cover",
        )
        .refuses(
            "a component that is not computed",
            signed(&base().and(r#""@authority""#, "shop.example.org"), &[]),
            "a signature over what is not understood shows nothing",
        )
        .refuses(
            "a changed value",
            signed(
                &Covered { lines: base().lines.iter().map(|l| l.replace("GET", "PUT")).collect(), ..base() },
                &[],
            ),
            "another method was signed",
        )
}

fn parameters_of_requests() -> Check {
    let with = |parameters: String| signed(&Covered::request().with(parameters), &[]);
    let replaced = |from: &str, to: &str| {
        assert!(parameters().contains(from), "{from} is not there");
        with(parameters().replacen(from, to, 1))
    };
    let expires = (NOW + 60).to_string();
    let [input, signature] = Covered::request().signed("wimse", own());
    let [other_input, other_signature] = Covered::request().signed("mine", own());
    let wit = usual_wit();
    let several = |all: &[(&str, &str)]| -> Input {
        let all = [&[("Workload-Identity-Token", &*wit)], all].concat();
        judged(Draft::HttpSignature06, get(&all)).into()
    };
    let proxy = [("Signature-Input", r#"proxy=("@method");keyid="p""#), ("Signature", "proxy=:AAAA:")];
    let own = [(input.0, &*input.1), (signature.0, &*signature.1)];
    let mine = [(other_input.0, &*other_input.1), (other_signature.0, &*other_signature.1)];
    let mut made = check("WIMSE-13", "the parameters are created, expires, nonce, tag and wimse-aud, not keyid or alg; the label among several is wimse")
        .accepts("all of them", with(parameters()), "they are there")
        .accepts("one more", with(format!("{};x=1", parameters())), "unknown ones are passed over")
        .accepts("asking for a signed response", with(format!("{};wimse-sign-response", parameters())), "it may be there")
        .accepts("another label, alone", several(&mine), "there is one signature")
        .accepts("the label among several", several(&[&own[..], &proxy].concat()), "it is the one that counts")
        .refuses("another label among several", several(&[&mine[..], &proxy].concat()), "nobody knows which counts")
        .refuses("no created", replaced(&format!(";created={NOW}"), ""), "it is not there")
        .refuses("no expires", replaced(&format!(";expires={expires}"), ""), "it is not there")
        .refuses("no nonce", replaced(r#";nonce="first""#, ""), "it is not there")
        .refuses("an empty nonce", replaced("\"first\"", "\"\""), "it names nothing")
        .refuses("no tag", replaced(r#";tag="wimse-workload-to-workload""#, ""), "it is not there")
        .refuses("another tag", replaced("wimse-workload-to-workload", "other"), "it is another protocol's")
        .refuses("no wimse-aud", replaced(&format!(r#";wimse-aud="{AUDIENCE}""#), ""), "it is not there")
        .refuses("another wimse-aud", replaced(AUDIENCE, "https://evil.example/orders"), "it is for another service")
        .refuses("wimse-aud as a token", replaced(&format!("\"{AUDIENCE}\""), "shop"), "it is a text");
    for name in ["keyid", "alg"] {
        let more = with(format!("{};{name}=\"ecdsa-p256-sha256\"", parameters()));
        made = made.refuses(name, more, "the WIT-SVID says it");
    }
    made.refuses("expired", replaced(&expires, &NOW.to_string()), "it does not hold any more")
        .refuses("a day", replaced(&expires, &(NOW + 86_400).to_string()), "it holds for too long")
        .refuses(
            "created in ten minutes",
            with(
                parameters()
                    .replacen(&NOW.to_string(), &(NOW + 600).to_string(), 1)
                    .replace(&expires, &(NOW + 620).to_string()),
            ),
            "it was not made yet",
        )
}

/// The WIT-SVID of the service, whose key is another's.
fn service() -> String {
    let claims = json!({
        "cnf": { "jwk": jwk(key("ec256-other"), "ES256") }, "exp": NOW + HOUR, "sub": "spiffe://example.org/shop",
    });
    wit(WIT, &claims)
}

/// What a response must cover, as an answer to the usual request.
fn answer(request_nonce: Option<&str>) -> Covered {
    let echo = request_nonce.map_or_else(String::new, |nonce| format!(r#";wimse-req-nonce="{nonce}""#));
    let parameters = format!(
        r#";created={NOW};expires={};nonce="answer";tag="wimse-workload-to-workload"{echo}"#,
        NOW + 60
    );
    Covered { components: Vec::new(), lines: Vec::new(), parameters }
        .and(r#""@status""#, "200")
        .and(r#""@method";req"#, "GET")
        .and(r#""@request-target";req"#, TARGET)
        .and(r#""content-type""#, "application/json")
        .and(DIGEST, &digest(BODY))
        .and(r#""workload-identity-token""#, &service())
}

fn response(covered: &Covered) -> Response {
    let [input, signature] = covered.signed("wimse", key("ec256-other"));
    let (wit, digest) = (service(), digest(BODY));
    let all = [
        ("Content-Type", "application/json"),
        ("Content-Digest", &*digest),
        ("Workload-Identity-Token", &*wit),
        (input.0, &*input.1),
        (signature.0, &*signature.1),
    ];
    Response { status: 200, fields: fields(&all), body: BODY.to_owned(), channel: Channel::Tls }
}

fn received(response: Response, asked: bool, always: bool) -> Members {
    let parameters = if asked { format!("{};wimse-sign-response", parameters()) } else { parameters() };
    let request = with_signature(&Covered::request().with(parameters), &[]);
    Members { response, request, nonce: "first".to_owned(), asked, always, bundles: bundles(), now: NOW }
}

fn unsigned() -> Response {
    Response { status: 200, fields: Vec::new(), body: BODY.to_owned(), channel: Channel::Tls }
}

fn leaves_unsigned(asked: bool, always: bool, status: u16) -> Input {
    let parameters = if asked { format!("{};wimse-sign-response", parameters()) } else { parameters() };
    let request = with_signature(&Covered::request().with(parameters), &[]);
    Unsigned { received: judged(Draft::HttpSignature06, request), status, always }.into()
}

fn responses() -> Check {
    let good = response(&answer(Some("first")));
    let asked = |response: Response| -> Input { received(response, true, false).into() };
    let by_the_service = json!({ "id": "spiffe://example.org/shop" });
    let nobody = json!({ "id": null });
    let mut made = check("WIMSE-14", "a signed response covers its request and echoes its nonce; an unsigned success is not sent where a signed one was asked for")
        .yields("signed, and asked for", asked(good.clone()), by_the_service.clone(), "it is the service's")
        .yields("signed, and not asked for", received(good.clone(), false, false).into(), by_the_service.clone(), "it is the service's")
        .yields(
            "signed without the nonce, and not asked for",
            received(response(&answer(None)), false, false).into(),
            by_the_service,
            "the nonce is echoed where a signed response was asked for",
        )
        .yields("unsigned, and not asked for", received(unsigned(), false, false).into(), nobody, "it need not be signed")
        .accepts("an unsigned error", leaves_unsigned(true, false, 400), "it is no success")
        .accepts("an unsigned 501", leaves_unsigned(true, true, 501), "it is no success")
        .accepts("an unsigned success that was not asked to be signed", leaves_unsigned(false, false, 200), "nobody asked")
        .refuses("an unsigned success", leaves_unsigned(true, false, 200), "a signed one was asked for")
        .refuses("an unsigned success against the server's rule", leaves_unsigned(false, true, 204), "the server signs always")
        .refuses("unsigned, and asked for", asked(unsigned()), "a signed one was asked for")
        .refuses("unsigned, against the client's rule", received(unsigned(), false, true).into(), "the client wants signed ones")
        .refuses("no nonce", asked(response(&answer(None))), "it must be echoed")
        .refuses("another nonce", asked(response(&answer(Some("other")))), "it answers another request")
        .refuses("another nonce, and not asked for", received(response(&answer(Some("other"))), false, false).into(), "it answers another request")
        .refuses("another status", asked(Response { status: 201, ..good.clone() }), "200 was signed")
        .refuses("another body", asked(Response { body: "[]".to_owned(), ..good.clone() }), "another was signed")
        .refuses("cleartext", asked(Response { channel: Channel::Cleartext, ..good.clone() }), "others could read the token")
        .refuses(
            "another request",
            elsewhere(received(good.clone(), true, false)),
            "another target was signed",
        );
    for (number, name) in
        ["the status", "the method", "the target", "the content type", "the digest", "the token"]
            .iter()
            .enumerate()
    {
        let refused = asked(response(&answer(Some("first")).without(number)));
        made = made.refuses(&format!("not {name}"), refused, "it must be covered");
    }
    let mut copied = good;
    copied.fields.retain(|(name, _)| name != "Workload-Identity-Token");
    copied.fields.push(("Workload-Identity-Token".to_owned(), usual_wit()));
    made.refuses(&format!("the token of {ID}"), asked(copied), "the key is not that of this token")
}

/// The same response to a request with another target.
fn elsewhere(mut members: Members) -> Input {
    members.request.target = "/other".to_owned();
    members.into()
}

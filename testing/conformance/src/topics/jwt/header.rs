//! The form of a token and its header.

use serde_json::json;

use super::check;
use crate::forge::jws::{self, part, scheme};
use crate::forge::key::Key;
use crate::forge::keys::key;
use crate::forge::moment::NOW;
use crate::format::{Check, Input};
use crate::kinds::jwt_svid::Members;
use crate::topics::scene::*;

/// Which key signs by an algorithm.
pub(in crate::topics) const KEYS: [(&str, &str); 9] = [
    ("RS256", "rsa2048-root"),
    ("RS384", "rsa2048-root"),
    ("RS512", "rsa2048-root"),
    ("ES256", "ec256-root"),
    ("ES384", "ec384-root"),
    ("ES512", "ec521-root"),
    ("PS256", "rsa2048-root"),
    ("PS384", "rsa2048-root"),
    ("PS512", "rsa2048-root"),
];

pub(super) fn checks() -> Vec<Check> {
    vec![
        compact(),
        signed_only(),
        algorithms(),
        key_id(),
        types(),
        algorithm_first(),
        critical(),
        fits_the_key(),
        bundle_has_the_key(),
    ]
}

/// A token as it is judged by someone who holds one key, as `k`.
fn judged_with(token: String, key: &Key) -> Input {
    judged_by(token, &[("k", key)])
}

fn judged_by(token: String, keys: &[(&str, &Key)]) -> Input {
    Members { token, audience: vec!["audience".to_owned()], bundles: jwt_keys("example.org", keys), now: NOW }
        .into()
}

/// The usual claims under a header.
fn under(header: &str) -> Input {
    token(header, &claims(ID))
}

fn compact() -> Check {
    let good = signed(HEADER, &claims(ID));
    let parts: Vec<&str> = good.split('.').collect();
    let [header, body, signature] = parts.as_slice() else { unreachable!("a token has three parts") };
    let flat = json!({ "protected": header, "payload": body, "signature": signature }).to_string();
    let general = json!({ "payload": body, "signatures": [{ "protected": header, "signature": signature }] });
    // A claim whose base64 needs the two characters in which the alphabets differ.
    let odd = format!(r#"{{"aud":["audience"],"exp":{},"sub":"{ID}","x":"??>>~~"}}"#, NOW + 300);
    let standard = {
        use base64::Engine;
        let body = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&odd);
        assert!(body.contains(['+', '/']), "it must not be base64url too");
        jws::sign(&format!("{header}.{body}"), key("ec256-root"), key("ec256-root").usual())
    };
    check("JWT-01", "§1, §5.1", "the compact serialization is the only one")
        .accepts("three parts", presented(&good), "it is the compact serialization")
        .refuses("flattened JSON", presented(&flat), "it is the JSON serialization")
        .refuses("general JSON", presented(&general.to_string()), "it is the JSON serialization")
        .refuses("two parts", presented(&format!("{header}.{body}")), "there is no signature")
        .refuses("four parts", presented(&format!("{good}.{signature}")), "there is a part too many")
        .refuses("padding", presented(&format!("{good}=")), "base64url has no padding here")
        .refuses("standard base64", presented(&standard), "it is not base64url")
        .refuses("a space before", presented(&format!(" {good}")), "it is not part of a token")
        .refuses("a line end behind", presented(&format!("{good}\n")), "it is not part of a token")
        .refuses("nothing", presented(""), "there is no token")
}

fn signed_only() -> Check {
    let body = part(claims(ID));
    let unsecured = format!("{}.{body}.", part(r#"{"alg":"none","typ":"JWT"}"#));
    let encrypted = format!("{}.AAAA.AAAA.{body}.AAAA", part(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#));
    check("JWT-03", "§2", "a token is a JWS")
        .accepts("a JWS", under(HEADER), "it is signed")
        .refuses("JWE", presented(&encrypted), "it is encrypted and not signed")
        .refuses("unsecured", presented(&unsecured), "nobody signed it")
}

fn algorithms() -> Check {
    let mut made = check("JWT-05", "§2.1", "the nine algorithms are accepted and no other");
    for (alg, name) in KEYS {
        let scheme = scheme(alg).expect("it is one of the nine");
        let header = format!(r#"{{"alg":"{alg}","kid":"k","typ":"JWT"}}"#);
        let token = jws::token_with(&header, &claims(ID), key(name), scheme);
        made = made.accepts(alg, judged_with(token, key(name)), "it is one of the nine");
    }
    // The public key as the secret of an HMAC: what a verifier does that takes the algorithm from the token alone.
    let rsa = key("rsa2048-root");
    let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &rsa.spki());
    let hmac_signed = format!("{}.{}", part(r#"{"alg":"HS256","kid":"k","typ":"JWT"}"#), part(claims(ID)));
    let tag = aws_lc_rs::hmac::sign(&secret, hmac_signed.as_bytes());
    let hmac = format!("{hmac_signed}.{}", part(tag.as_ref()));
    made = made.refuses("HS256 with the public key", judged_with(hmac, rsa), "it is not one of the nine");
    for alg in [
        r#""none""#,
        r#""None""#,
        r#""EdDSA""#,
        r#""ES256K""#,
        r#""es256""#,
        r#""ML-DSA-65""#,
        r#""""#,
        "null",
        "7",
    ] {
        let header = format!(r#"{{"alg":{alg},"kid":"k","typ":"JWT"}}"#);
        made = made.refuses(&format!("alg {alg}"), under(&header), "it is not one of the nine");
    }
    made.refuses("no algorithm", under(r#"{"kid":"k","typ":"JWT"}"#), "the header names none")
}

fn key_id() -> Check {
    let header = r#"{"alg":"ES256","typ":"JWT"}"#;
    let token = signed(header, &claims(ID));
    let (fits, other, rsa) = (key("ec256-root"), key("ec256-other"), key("rsa2048-root"));
    check("JWT-06", "§2.2", "kid is optional; issuers still always set it")
        .accepts("one key", judged_by(token.clone(), &[("k", fits)]), "the one key signed it")
        .accepts(
            "several keys",
            judged_by(token.clone(), &[("a", rsa), ("b", other), ("c", fits)]),
            "one of the keys signed it",
        )
        .refuses("none fits", judged_by(token.clone(), &[("a", rsa), ("b", other)]), "no key signed it")
        .refuses("no keys", judged_by(token, &[]), "there is no key that could have signed it")
        .refuses(
            "another key id",
            under(r#"{"alg":"ES256","kid":"other","typ":"JWT"}"#),
            "there is no key of that id",
        )
        .refuses("an empty key id", under(r#"{"alg":"ES256","kid":"","typ":"JWT"}"#), "it names nothing")
        .refuses("a number", under(r#"{"alg":"ES256","kid":7,"typ":"JWT"}"#), "a key id is text")
}

fn types() -> Check {
    let mut made = check("JWT-07", "§2.3", "typ is left away, JWT or JOSE").accepts(
        "no type",
        under(r#"{"alg":"ES256","kid":"k"}"#),
        "it may be left away",
    );
    for typ in ["JWT", "JOSE"] {
        let header = format!(r#"{{"alg":"ES256","kid":"k","typ":"{typ}"}}"#);
        made = made.accepts(typ, under(&header), "it is one of the two");
    }
    for typ in [r#""jwt""#, r#""at+jwt""#, r#""wit+jwt""#, r#""application/jwt""#, r#""""#, "7", "null"] {
        let header = format!(r#"{{"alg":"ES256","kid":"k","typ":{typ}}}"#);
        made = made.refuses(&format!("typ {typ}"), under(&header), "it is none of the two");
    }
    made
}

fn algorithm_first() -> Check {
    let header = |alg: &str| format!(r#"{{"alg":"{alg}","kid":"unknown","typ":"JWT"}}"#);
    let no_claims = jws::token(&header("HS256"), "no claims", key("ec256-root"));
    check("JWT-15", "§4", "the algorithm is judged before anything else")
        .accepts("an algorithm of the nine", under(HEADER), "what follows is judged then")
        .refuses(
            "an algorithm that is none, and an unknown key",
            under(&header("HS256")),
            "the algorithm alone refuses it, so that nothing tells whether there is such a key",
        )
        .refuses(
            "an algorithm that is none, and no claims",
            presented(&no_claims),
            "the algorithm refuses it",
        )
}

fn critical() -> Check {
    let with = |more: &str| under(&format!(r#"{{"alg":"ES256","kid":"k","typ":"JWT",{more}}}"#));
    check(
        "JWT-18",
        "§2, §5.1; RFC 7515 §4.1.11",
        "a critical extension that is not understood refuses the token",
    )
    .accepts("an unknown member that is not critical", with(r#""x":1"#), "it is passed over")
    .accepts("a URL of keys", with(r#""jku":"https://evil.example/keys""#), "nobody looks there")
    .refuses("a critical one", with(r#""crit":["x"],"x":1"#), "nobody understands it")
    .refuses("b64", with(r#""crit":["b64"],"b64":true"#), "it is not understood here")
    .refuses("an empty list", with(r#""crit":[]"#), "it must not be empty")
    .refuses("a text", with(r#""crit":"x""#), "it must be a list")
    .refuses("a member twice", with(r#""kid":"k""#), "verifiers take different ones (RFC 7515 §4)")
}

fn fits_the_key() -> Check {
    let (ec, rsa) = (key("ec256-root"), key("rsa2048-root"));
    let good = signed(HEADER, &claims(ID));
    let es384 = jws::token(r#"{"alg":"ES384","kid":"k"}"#, &claims(ID), key("ec384-root"));
    let header = |alg: &str| format!(r#"{{"alg":"{alg}","kid":"k"}}"#);
    let small = jws::token(&header("RS256"), &claims(ID), key("rsa1024"));
    let crossed = jws::token(&header("ES256"), &claims(ID), key("ec384-root"));
    let unhashed =
        jws::token_with(&header("PS384"), &claims(ID), rsa, scheme("PS256").expect("it is one of the nine"));
    let head = good.rsplit_once('.').map_or("", |(head, _)| head);
    let asn1 = format!("{head}.{}", part(ec.sign(ec.usual(), head.as_bytes())));
    let long = format!("{good}AAAA");
    check("JWT-19", "§4; RFC 7518 §3.3 to §3.5", "the algorithm fits the key, and the signature its form")
        .accepts(
            "ES384 on P-384",
            judged_with(es384.clone(), key("ec384-root")),
            "the curve is that of ES384",
        )
        .accepts("R and S", presented(&good), "it is the form of JWS")
        .refuses("ES384 and a key on P-256", judged_with(es384, ec), "the curve is another")
        .refuses("ES256 signed on P-384", judged_with(crossed, key("ec384-root")), "the curve is another")
        .refuses("RSA with 1024 bits", judged_with(small, key("rsa1024")), "it must have 2048 at least")
        .refuses("PS384 signed with SHA-256", judged_with(unhashed, rsa), "the hash is another")
        .refuses("ECDSA in ASN.1", presented(&asn1), "it is the form of X.509")
        .refuses("a longer signature", presented(&long), "it is not two numbers of 32 bytes")
        .refuses("no signature", presented(&format!("{head}.")), "nobody signed it")
}

fn bundle_has_the_key() -> Check {
    let token = signed(HEADER, &claims(ID));
    let x509_only = Members {
        token: token.clone(),
        audience: vec!["audience".to_owned()],
        bundles: roots("example.org", [root().self_signed()]),
        now: NOW,
    };
    check("JWT-25", "§6.2", "a bundle without keys for JWT-SVIDs supports none")
        .accepts("a key", presented(&token), "the bundle has it")
        .refuses("an X.509 authority with that key", x509_only.into(), "it signs no tokens")
}

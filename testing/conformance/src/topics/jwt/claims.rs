//! What a token says.

use super::check;
use crate::forge::moment::NOW;
use crate::format::{Check, Input, Only};
use crate::kinds::jwt_svid::Members;
use crate::topics::scene::*;

pub(super) fn checks() -> Vec<Check> {
    vec![
        other_claims(),
        subject(),
        audience_is_there(),
        audience_is_ones_own(),
        expiry_is_there(),
        expired(),
        not_yet(),
        replays(),
        schema(),
    ]
}

/// A token with those claims.
fn with(claims: &str) -> Input {
    token(HEADER, claims)
}

/// The usual subject and expiry with those audiences.
fn aud(aud: &str) -> String {
    format!(r#"{{"aud":{aud},"exp":{},"sub":"{ID}"}}"#, NOW + 300)
}

/// The usual subject and audience with that expiry.
fn exp(exp: &str) -> String {
    format!(r#"{{"aud":["audience"],"exp":{exp},"sub":"{ID}"}}"#)
}

/// The usual claims and more.
fn more(more: &str) -> String {
    format!(r#"{{"aud":["audience"],"exp":{},"sub":"{ID}",{more}}}"#, NOW + 300)
}

/// A token as it is judged by someone who answers to those.
fn expected_by(claims: &str, audience: &[&str]) -> Input {
    Members {
        token: signed(HEADER, claims),
        audience: audience.iter().map(|one| (*one).to_owned()).collect(),
        bundles: jwt_keys("example.org", &[("k", crate::forge::keys::key("ec256-root"))]),
        now: NOW,
    }
    .into()
}

fn other_claims() -> Check {
    let all = format!(
        r#""iss":"https://issuer.example","iat":{NOW},"nbf":{NOW},"jti":"1","https://x/y":{{"z":[1]}}"#
    );
    check("JWT-08", "§3", "other claims may be there, and unknown ones are passed over")
        .accepts("none", with(&aud(r#"["audience"]"#)), "none of them must be there")
        .accepts("several", with(&more(&all)), "they are allowed")
        .refuses(
            "a claim twice",
            with(&more(&format!(r#""sub":"{ID}""#))),
            "verifiers take different ones (RFC 7519 §4)",
        )
        .refuses(
            "a claim twice, once in escapes",
            with(&more(r#""\u0073ub":"spiffe://example.org/other""#)),
            "verifiers take different ones (RFC 7519 §4)",
        )
        .refuses("no object", with(r#"["sub"]"#), "claims are a JSON object")
        .refuses("no JSON", with("sub"), "claims are a JSON object")
}

fn subject() -> Check {
    let with = |sub: &str| with(&format!(r#"{{"aud":["audience"],"exp":{},"sub":{sub}}}"#, NOW + 300));
    let mut made = check("JWT-09", "§3.1", "sub is the SPIFFE ID of the workload")
        .accepts("a workload", with(&format!("\"{ID}\"")), "it is a SPIFFE ID")
        .accepts(
            "a trust domain",
            with(r#""spiffe://example.org""#),
            "it is a SPIFFE ID; a path is not asked for here, and SPIRE takes it",
        );
    for (sub, why) in [
        (r#""""#, "it is empty"),
        (r#""alice""#, "it is no URI"),
        (r#""https://example.org/workload""#, "it has another scheme"),
        (r#"["spiffe://example.org/workload"]"#, "it is a list"),
        ("7", "it is a number"),
        ("null", "it is nothing"),
        (r#""spiffe://example.org/""#, "its path is empty"),
        (r#""spiffe://Example.org/workload""#, "its trust domain is not in lower case"),
        (r#""spiffe://example.org/a//b""#, "a segment is empty"),
        (r#""spiffe://example.org/a%20b""#, "nothing is escaped in a SPIFFE ID"),
        (r#""spiffe://example.org:80/a""#, "it has a port"),
    ] {
        made = made.refuses(sub, with(sub), why);
    }
    let without = format!(r#"{{"aud":["audience"],"exp":{}}}"#, NOW + 300);
    made.refuses("no subject", token(HEADER, &without), "it names nobody")
}

fn audience_is_there() -> Check {
    let without = format!(r#"{{"exp":{},"sub":"{ID}"}}"#, NOW + 300);
    let mut made =
        check("JWT-11", "§3.2, §4", "a token without an audience is refused, also by who expects none")
            .accepts("an audience", with(&aud(r#"["audience"]"#)), "it has one")
            .refuses("none", with(&without), "it has none")
            .refuses("none, and none expected", expected_by(&without, &[]), "it has none")
            .refuses(
                "one, and none expected",
                expected_by(&aud(r#"["audience"]"#), &[]),
                "whoever answers to nothing accepts nothing",
            );
    for bad in ["[]", "null", "7", "{}", r#"["audience",7]"#] {
        made = made.refuses(bad, with(&aud(bad)), "it is not text or a list of text");
    }
    made
}

fn audience_is_ones_own() -> Check {
    let mut made = check("JWT-12", "§3.2", "one of the audiences is the verifier's own, to the byte")
        .accepts("in a list", with(&aud(r#"["other","audience"]"#)), "it is in the list")
        .accepts("alone", with(&aud(r#""audience""#)), "it is the one")
        .accepts(
            "one of two that are expected",
            expected_by(&aud(r#"["b"]"#), &["a", "b"]),
            "the verifier answers to both",
        );
    for bad in [
        r#"["Audience"]"#,
        r#"["audience "]"#,
        r#"["audiences"]"#,
        r#"["audienc"]"#,
        r#"["audience,other"]"#,
        r#""audience other""#,
        r#""""#,
    ] {
        made = made.refuses(bad, with(&aud(bad)), "it is another audience");
    }
    made
}

fn expiry_is_there() -> Check {
    let without = format!(r#"{{"aud":["audience"],"sub":"{ID}"}}"#);
    let mut made = check("JWT-14", "§3.3, §4", "exp is there, and is a NumericDate")
        .accepts("an expiry", with(&exp(&(NOW + 300).to_string())), "it has one")
        .refuses("none", with(&without), "it has none");
    for bad in ["null", r#""1900000000""#, "true", "-1", "1e300", "[1900000000]"] {
        made = made.refuses(bad, with(&exp(bad)), "it is not a NumericDate");
    }
    made
}

fn expired() -> Check {
    check("JWT-16", "§4, Appendix A", "an expired token is refused; a NumericDate may have a fraction")
        .accepts("one second left", with(&exp(&(NOW + 1).to_string())), "it has not expired")
        .accepts("half a second left", with(&exp(&format!("{NOW}.5"))), "a NumericDate may have a fraction")
        .accepts("a fraction, years ahead", with(&exp("1893456000.5")), "a NumericDate may have a fraction")
        .accepts("an exponent", with(&exp("1.9e9")), "it is a JSON number")
        .refuses("five minutes ago", with(&exp(&(NOW - 300).to_string())), "no leeway is that long")
        .refuses("in 1970", with(&exp("0")), "it has long expired")
}

fn not_yet() -> Check {
    let nbf = |at: i64| with(&more(&format!(r#""nbf":{at}"#)));
    check("JWT-17", "§4; RFC 7519 §4.1.5", "a token that does not hold yet is refused")
        .accepts("since ten seconds", nbf(NOW - 10), "it holds")
        .accepts("from now", nbf(NOW), "it holds")
        .refuses("in five minutes", nbf(NOW + 300), "it does not hold yet")
        .refuses("a text", with(&more(r#""nbf":"1700000000""#)), "it is not a NumericDate")
}

fn replays() -> Check {
    check("JWT-26", "§7.1", "jti may be there, and need not be remembered")
        .accepts("no jti", with(&aud(r#"["audience"]"#)), "it may be left away")
        .accepts("a jti", with(&more(r#""jti":"once""#)), "it may be there")
        .accepts("the same token again", with(&more(r#""jti":"once""#)), "nobody must remember it")
        .only(Only::Accepted, "it asks nobody to refuse anything")
}

fn schema() -> Check {
    check("JWT-28", "JWT-SVID.schema", "the schema, which knows one audience alone, is no gate")
        .accepts("a list", with(&aud(r#"["other","audience"]"#)), "the text allows a list")
        .accepts("one", with(&aud(r#""audience""#)), "the text allows one")
        .only(Only::Accepted, "what the schema refuses, the text allows")
}

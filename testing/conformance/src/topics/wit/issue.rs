//! What an authority signs.

use serde_json::json;

use super::check;
use crate::forge::keys::key;
use crate::forge::moment::{HOUR, NOW};
use crate::format::{Check, Only};
use crate::kinds::input::Bytes;
use crate::kinds::issue_wit_svid::Members;
use crate::topics::scene::ID;
use crate::topics::wit_scene::*;

pub(super) fn checks() -> Vec<Check> {
    vec![plain_header(), names(), issuer_name(), all_of_it()]
}

fn asked() -> Members {
    Members {
        trust_domain: "example.org".to_owned(),
        key: Bytes(authority().pkcs8()),
        kid: "w".to_owned(),
        alg: None,
        subject: ID.to_owned(),
        confirmation: jwk(own(), "ES256"),
        expires_at: NOW + HOUR,
        not_before: None,
        issued_at: None,
        issuer: None,
        jti: None,
        now: NOW,
    }
}

fn plain_header() -> Check {
    let header = json!({ "header": { "alg": "ES256", "kid": "w", "typ": "wit+jwt" } });
    check("WIT-07", "§2.4", "the header of what is issued holds alg, kid and typ, and nothing else")
        .yields("the least", asked().into(), header.clone(), "the header is plain")
        .yields(
            "with a name",
            Members { jti: Some("once".to_owned()), ..asked() }.into(),
            header,
            "it is a claim",
        )
        .only(Only::Accepted, "an issuer has no input that would add to the header")
}

fn names() -> Check {
    check("WIT-14", "§3.3", "jti is optional")
        .accepts("none", asked().into(), "it may be left away")
        .accepts(
            "one",
            Members { jti: Some("vZ8NOnOb9bGqXzKmsVMfGQ".to_owned()), ..asked() }.into(),
            "it may be there",
        )
        .only(Only::Accepted, "that names do not repeat is shown by making many, not by one input")
}

fn issuer_name() -> Check {
    let named = |issuer: &str| Members { issuer: Some(issuer.to_owned()), ..asked() };
    let mut made =
        check("WIT-20", "§3.7", "iss is optional, and not one that OpenID Connect Discovery could resolve")
            .accepts("none", asked().into(), "it may be left away")
            .accepts("a trust domain", named("spiffe://example.org").into(), "nobody resolves it")
            .accepts("text", named("example").into(), "nobody resolves it");
    for issuer in ["https://issuer.example", "HTTPS://issuer.example/tenant", "http://issuer.example"] {
        made = made.refuses(issuer, named(issuer).into(), "a client could look for keys there");
    }
    made
}

fn all_of_it() -> Check {
    let confirmation = jwk(key("rsa2048-other"), "PS256");
    let full = Members {
        confirmation: confirmation.clone(),
        not_before: Some(NOW - 10),
        issued_at: Some(NOW),
        issuer: Some("spiffe://example.org".to_owned()),
        jti: Some("once".to_owned()),
        ..asked()
    };
    let header = json!({ "alg": "ES256", "kid": "w", "typ": "wit+jwt" });
    let least = json!({ "cnf": { "jwk": jwk(own(), "ES256") }, "exp": NOW + HOUR, "sub": ID });
    let most = json!({
        "cnf": { "jwk": confirmation }, "exp": NOW + HOUR, "iat": NOW, "iss": "spiffe://example.org", "jti": "once",
        "nbf": NOW - 10, "sub": ID,
    });
    let mut private = own().private_jwk();
    private["alg"] = "ES256".into();
    let refused = |members: Members| members.into();
    check(
        "WIT-23",
        "§4, Appendix A",
        "what is issued has alg, typ, kid, sub, exp, cnf and the algorithm of its key",
    )
    .yields("the least", asked().into(), json!({ "header": header, "claims": least }), "it says what it must")
    .yields("the most", full.into(), json!({ "header": header, "claims": most }), "it says what it may")
    .refuses("no key id", refused(Members { kid: String::new(), ..asked() }), "kid must be there")
    .refuses(
        "no algorithm of the key",
        refused(Members { confirmation: own().jwk(), ..asked() }),
        "cnf.jwk.alg must be there",
    )
    .refuses(
        "an algorithm that does not fit",
        refused(Members { confirmation: jwk(own(), "ES384"), ..asked() }),
        "the key cannot do it",
    )
    .refuses(
        "a private key",
        refused(Members { confirmation: private, ..asked() }),
        "it would be known to whoever reads the token",
    )
    .refuses(
        "another trust domain",
        refused(Members { subject: "spiffe://other.org/a".to_owned(), ..asked() }),
        "the authority signs for its own",
    )
    .refuses(
        "an end before its begin",
        refused(Members { not_before: Some(NOW + 2 * HOUR), ..asked() }),
        "it would never hold",
    )
}

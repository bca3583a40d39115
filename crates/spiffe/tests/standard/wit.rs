//! WIT-SVID.md.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use spiffe::bundle::{Bundle, WitAuthority};
use spiffe::jwk::{self, JwkError};
use spiffe::jws::JwsError;
use spiffe::jwt::{JwtError, JwtSvid};
use spiffe::key::{KeyType, PrivateKey, SigAlg, Signer};
use spiffe::wit::{ConfirmationKey, Lifespan, VerifiedWit, Wit, WitClaims, WitError, WitIssuer, random_jti};
use spiffe::{SpiffeId, TrustDomain};

use super::forge::*;

fn claims() -> WitClaims {
    WitClaims {
        subject: id("/a"),
        confirmation: ConfirmationKey::usual(key().public().clone()).unwrap(),
        expires_at: now() + HOUR,
        not_before: None,
        issued_at: None,
        issuer: None,
        jti: None,
    }
}

fn wit_bundle(key_id: &str, key: &spiffe::key::PublicKey) -> Bundle {
    let mut bundle = Bundle::new(td());
    let authority =
        WitAuthority { key_id: key_id.into(), public_key: key.clone(), expires_at: None, tainted: false };
    bundle.push_wit(authority).unwrap();
    bundle
}

/// A token with any header and claims, well signed RS256, and what becomes of it.
fn judged(header: &Value, claims: &Value) -> Result<VerifiedWit, WitError> {
    let (token, _) = token(&header.to_string(), &claims.to_string());
    Wit::verify(&token, &wit_bundle("k", rsa().public()), Lifespan::AsIssued, now())
}

fn header() -> Value {
    json!({ "alg": "RS256", "kid": "k", "typ": "wit+jwt" })
}

fn body() -> Value {
    let mut jwk = jwk::to_jwk(key().public());
    jwk.insert("alg".into(), "ES256".into());
    json!({ "sub": "spiffe://example.org/a", "exp": 1_800_000_060, "cnf": { "jwk": jwk } })
}

fn with(name: &str, value: Value) -> Value {
    let mut body = body();
    body[name] = value;
    body
}

fn with_jwk(name: &str, value: Value) -> Value {
    let mut body = body();
    body["cnf"]["jwk"][name] = value;
    body
}

#[test]
fn all_nine_algorithms_sign_and_confirm() {
    // §2.3, §3.2
    let keys: Vec<Arc<PrivateKey>> = [KeyType::EcP256, KeyType::EcP384, KeyType::EcP521, KeyType::Rsa2048]
        .map(|t| Arc::new(PrivateKey::generate(t).unwrap()))
        .into();
    for name in ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        let alg = SigAlg::from_jws(name).unwrap();
        let signer = keys.iter().find(|key| key.public().supports(alg)).unwrap().clone();
        let confirmation = ConfirmationKey::new(signer.public().clone(), alg).unwrap();
        let issuer = WitIssuer::new(td(), signer).unwrap().with_algorithm(alg).unwrap();
        let token = issuer.issue(&WitClaims { confirmation: confirmation.clone(), ..claims() }).unwrap();
        let mut bundle = Bundle::new(td());
        bundle.push_wit(issuer.authority()).unwrap();
        let verified = Wit::verify(&token, &bundle, Lifespan::AsIssued, now()).unwrap();
        assert_eq!((verified.wit().subject(), verified.wit().confirmation()), (&id("/a"), &confirmation));
        assert_eq!((verified.wit().alg(), verified.authority()), (alg, &issuer.authority()));
    }
}

#[test]
fn what_is_issued_says_what_it_must_and_no_more() {
    // §2, §3, §4, Appendix A
    let issuer = WitIssuer::named(td(), "k".into(), Arc::new(key())).unwrap();
    let token = issuer.issue(&claims()).unwrap();
    let part = |n| URL_SAFE_NO_PAD.decode(token.split('.').nth(n).unwrap()).unwrap();
    assert_eq!(String::from_utf8(part(0)).unwrap(), r#"{"alg":"ES256","kid":"k","typ":"wit+jwt"}"#);
    let claims_of: Value = serde_json::from_slice(&part(1)).unwrap();
    let names: Vec<&String> = claims_of.as_object().unwrap().keys().collect();
    assert_eq!(names, ["cnf", "exp", "sub"]);
    let members: HashSet<&str> =
        claims_of["cnf"]["jwk"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, HashSet::from(["kty", "crv", "x", "y", "alg"]));
    assert_eq!(claims_of["exp"], 1_800_003_600);
}

#[test]
fn an_issuer_signs_for_its_own_trust_domain_and_not_as_one_of_openid_connect() {
    // §3.7
    let issuer = WitIssuer::new(td(), Arc::new(key())).unwrap();
    let foreign = WitClaims { subject: SpiffeId::parse("spiffe://other.org/a").unwrap(), ..claims() };
    assert!(matches!(issuer.issue(&foreign), Err(WitError::Foreign(..))));
    for bad in ["https://issuer.example", "HTTPS://issuer.example/x", "http://issuer.example"] {
        let named = WitClaims { issuer: Some(bad.into()), ..claims() };
        assert_eq!(issuer.issue(&named), Err(WitError::Issuer(bad.into())));
    }
    let named = WitClaims { issuer: Some("spiffe://example.org".into()), ..claims() };
    issuer.issue(&named).unwrap();
    let backwards = WitClaims { not_before: Some(now() + 2 * HOUR), ..claims() };
    assert_eq!(issuer.issue(&backwards), Err(WitError::Backwards));
    assert_eq!(WitIssuer::named(td(), String::new(), Arc::new(key())).err(), Some(WitError::NoKeyId));
    assert!(WitIssuer::new(td(), Arc::new(key())).unwrap().with_algorithm(SigAlg::RsaPssSha256).is_err());
}

#[test]
fn two_keys_never_share_a_key_id() {
    // §2.1
    let ids: HashSet<String> =
        (0..20).map(|_| WitIssuer::new(td(), Arc::new(key())).unwrap().key_id().to_owned()).collect();
    assert_eq!(ids.len(), 20);
}

#[test]
fn random_names_do_not_repeat() {
    // §3.3
    let names: HashSet<String> = (0..10_000).map(|_| random_jti().unwrap()).collect();
    assert_eq!(names.len(), 10_000);
    assert!(names.iter().all(|name| URL_SAFE_NO_PAD.decode(name).unwrap().len() == 16));
}

#[test]
fn the_header_is_that_of_a_wit() {
    // §2
    judged(&header(), &body()).unwrap();
    judged(&json!({ "alg": "RS256", "kid": "k", "typ": "wit+jwt", "x": "y", "jku": "https://e" }), &body())
        .unwrap();
    for typ in [json!("JWT"), json!("WIT+JWT"), json!("application/wit+jwt"), json!(7), Value::Null] {
        let bad = json!({ "alg": "RS256", "kid": "k", "typ": typ });
        assert!(matches!(judged(&bad, &body()), Err(WitError::Type(_))), "{bad}");
    }
    assert!(matches!(judged(&json!({ "alg": "RS256", "kid": "k" }), &body()), Err(WitError::Type(_))));
    let nameless = judged(&json!({ "alg": "RS256", "typ": "wit+jwt" }), &body());
    assert_eq!(nameless.err(), Some(WitError::NoKeyId));
    for kid in [json!(""), json!(7)] {
        let bad = json!({ "alg": "RS256", "kid": kid, "typ": "wit+jwt" });
        assert!(matches!(judged(&bad, &body()), Err(WitError::Jws(JwsError::Malformed(_)))));
    }
    let cased = judged(&json!({ "alg": "RS256", "kid": "K", "typ": "wit+jwt" }), &body());
    assert!(matches!(cased, Err(WitError::NoAuthority { .. })));
    let critical = json!({ "alg": "RS256", "kid": "k", "typ": "wit+jwt", "crit": ["x"], "x": "y" });
    assert!(matches!(judged(&critical, &body()), Err(WitError::Jws(JwsError::Critical(_)))));
    for alg in ["EdDSA", "none", "HS256", "ML-DSA-65"] {
        let bad = json!({ "alg": alg, "kid": "k", "typ": "wit+jwt" });
        assert!(matches!(judged(&bad, &body()), Err(WitError::Jws(JwsError::Algorithm(_)))), "{alg}");
    }
}

#[test]
fn the_confirmation_is_one_public_key_with_a_fitting_algorithm() {
    // §3.2
    for bad in [
        json!("k"),
        json!({}),
        json!({ "kid": "k" }),
        json!({ "jku": "https://e" }),
        json!({ "jwk": "k" }),
        json!([]),
        Value::Null,
    ] {
        assert_eq!(
            judged(&header(), &with("cnf", bad.clone())).err(),
            Some(WitError::NoConfirmation),
            "{bad}"
        );
    }
    for other in ["jwe", "jku"] {
        let mut both = body();
        both["cnf"][other] = "x".into();
        assert_eq!(judged(&header(), &both).err(), Some(WitError::NoConfirmation));
    }
    let mut without = body();
    without.as_object_mut().unwrap().remove("cnf");
    assert_eq!(judged(&header(), &without).err(), Some(WitError::NoConfirmation));
    let mut unnamed = body();
    unnamed["cnf"]["jwk"].as_object_mut().unwrap().remove("alg");
    assert_eq!(judged(&header(), &unnamed).err(), Some(WitError::NoAlgorithm));
    for alg in ["EdDSA", "HS256", "none", "RSA-OAEP", "RS256", "ES384"] {
        let refused = judged(&header(), &with_jwk("alg", alg.into())).err();
        assert!(matches!(refused, Some(WitError::Confirmation(JwkError::Algorithm(_)))), "{alg}");
    }
    let private = judged(&header(), &with_jwk("d", "AAAA".into()));
    assert_eq!(private.err(), Some(WitError::Confirmation(JwkError::Private)));
    let secret = json!({ "jwk": { "kty": "oct", "k": "AAAA", "alg": "HS256" } });
    assert!(matches!(judged(&header(), &with("cnf", secret)), Err(WitError::Confirmation(_))));
    let off_curve = with_jwk("x", URL_SAFE_NO_PAD.encode([1; 32]).into());
    assert!(matches!(judged(&header(), &off_curve), Err(WitError::Confirmation(JwkError::Key(_)))));
    assert!(ConfirmationKey::new(key().public().clone(), SigAlg::RsaPssSha256).is_err());
}

#[test]
fn names_that_occur_twice_are_refused_at_any_depth() {
    let text = body().to_string().replacen(r#""alg":"ES256""#, r#""alg":"ES256","alg":"ES256""#, 1);
    let (token, _) = token(&header().to_string(), &text);
    assert!(matches!(Wit::parse_unverified(&token), Err(WitError::Jws(JwsError::Malformed(_)))));
}

#[test]
fn the_subject_is_a_spiffe_id_and_there_is_no_audience() {
    // §3.1, §3.8
    for bad in ["", "wimse://td/a", "spiffe://example.org/"] {
        assert!(matches!(judged(&header(), &with("sub", bad.into())), Err(WitError::Subject(_))), "{bad}");
    }
    assert_eq!(judged(&header(), &with("sub", 7.into())).err(), Some(WitError::NoSubject));
    for aud in [json!([]), json!("x"), json!(["x"]), Value::Null] {
        assert_eq!(judged(&header(), &with("aud", aud)).err(), Some(WitError::Audience));
    }
    judged(&header(), &with("unknown", json!({ "x": [1] }))).unwrap();
}

#[test]
fn it_holds_from_its_begin_to_its_end_whenever_it_was_made() {
    // §3.4 to §3.6
    for exp in [json!(1_800_000_000), json!(1_799_999_400)] {
        assert_eq!(judged(&header(), &with("exp", exp)).err(), Some(WitError::Expired));
    }
    for bad in [json!("1900000000"), json!(-1), json!(1e300), Value::Null] {
        assert_eq!(judged(&header(), &with("exp", bad)).err(), Some(WitError::Moment("exp")));
    }
    judged(&header(), &with("exp", json!(1_800_000_000.5))).unwrap();
    let mut endless = body();
    endless.as_object_mut().unwrap().remove("exp");
    assert_eq!(judged(&header(), &endless).err(), Some(WitError::NoExpiry));
    for nbf in [1_799_999_990, 1_800_000_000] {
        judged(&header(), &with("nbf", nbf.into())).unwrap();
    }
    for nbf in [1_800_000_001, 1_800_000_300] {
        assert_eq!(judged(&header(), &with("nbf", nbf.into())).err(), Some(WitError::NotYet));
    }
    for iat in [json!(1_800_000_300), json!("yesterday"), json!(0)] {
        judged(&header(), &with("iat", iat)).unwrap();
    }
}

#[test]
fn a_verifier_may_refuse_those_that_live_long() {
    // §3.5
    let judged = |nbf: Option<u64>, exp: u64| {
        let mut body = with("exp", exp.into());
        if let Some(nbf) = nbf {
            body["nbf"] = nbf.into();
        }
        let (token, _) = token(&header().to_string(), &body.to_string());
        let longest = Lifespan::AtMost(Duration::from_secs(600));
        Wit::verify(&token, &wit_bundle("k", rsa().public()), longest, now()).map(|_| ())
    };
    assert_eq!(judged(Some(1_799_999_700), 1_800_000_300), Ok(()));
    assert_eq!(judged(Some(1_799_999_699), 1_800_000_300), Err(WitError::Lifespan(600)));
    assert_eq!(judged(None, 1_800_000_600), Ok(()));
    assert_eq!(judged(None, 1_800_000_601), Err(WitError::Lifespan(600)));
}

#[test]
fn only_wit_authorities_of_its_own_trust_domain_sign_it() {
    // §6.2
    let (token, jwt_only) = token(&header().to_string(), &body().to_string());
    let judged = |bundle: &Bundle| Wit::verify(&token, bundle, Lifespan::AsIssued, now()).map(|_| ());
    assert!(matches!(judged(&jwt_only), Err(WitError::NoAuthority { .. })));
    assert!(matches!(judged(&Bundle::new(td())), Err(WitError::NoAuthority { .. })));
    assert!(matches!(
        judged(&Bundle::new(TrustDomain::parse("other.org").unwrap())),
        Err(WitError::NoBundle(_))
    ));
    let other = judged(&wit_bundle("k", key().public()));
    assert_eq!(other, Err(WitError::Jws(JwsError::Signature)));
}

#[test]
fn a_wit_is_no_jwt_svid_and_a_jwt_svid_no_wit() {
    // §7.1
    let (wit, bundle) = token(&header().to_string(), &with("aud", json!(["x"])).to_string());
    assert!(matches!(JwtSvid::verify(&wit, &bundle, &["x"], now()), Err(JwtError::Type(_))));
    let (jwt, _) = token(
        r#"{"alg":"RS256","kid":"k","typ":"JWT"}"#,
        r#"{"sub":"spiffe://example.org/a","aud":["x"],"exp":1800000060}"#,
    );
    assert!(matches!(Wit::parse_unverified(&jwt), Err(WitError::Type(_))));
}

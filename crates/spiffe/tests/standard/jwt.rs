//! JWT-SVID.md.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use spiffe::bundle::{Bundle, JwtAuthority};
use spiffe::jws::JwsError;
use spiffe::jwt::{JwtError, JwtSvid, JwtSvidClaims, authorization, from_authorization, sign, sign_with};
use spiffe::key::{KeyType, PrivateKey, SigAlg, Signer};
use spiffe::proof::http::Channel;

use super::forge::*;

const HEADER: &str = r#"{"alg":"RS256","kid":"k","typ":"JWT"}"#;
const CLAIMS: &str = r#"{"sub":"spiffe://example.org/a","aud":["x"],"exp":1800000060}"#;

fn claims() -> JwtSvidClaims {
    JwtSvidClaims {
        subject: id("/a"),
        audience: vec!["x".into()],
        issued_at: now(),
        expires_at: now() + Duration::from_secs(60),
        issuer: Some("https://issuer".into()),
        jti: Some("once".into()),
    }
}

fn judged(header: &str, claims: &str) -> Result<String, JwtError> {
    let (token, bundle) = token(header, claims);
    JwtSvid::verify(&token, &bundle, &["x"], now()).map(|svid| svid.id().to_string())
}

fn header_judged(header: &str) -> Result<String, JwtError> {
    judged(header, CLAIMS)
}

fn claims_judged(claims: &str) -> Result<String, JwtError> {
    judged(HEADER, claims)
}

#[test]
fn all_nine_algorithms_sign_and_verify() {
    // §2.1
    let rsa_algorithms = [
        SigAlg::RsaPkcs1Sha256,
        SigAlg::RsaPkcs1Sha384,
        SigAlg::RsaPkcs1Sha512,
        SigAlg::RsaPssSha256,
        SigAlg::RsaPssSha384,
        SigAlg::RsaPssSha512,
    ];
    let (p256, p521) = (key(), PrivateKey::generate(KeyType::EcP521).unwrap());
    let p384 = PrivateKey::generate(KeyType::EcP384).unwrap();
    let mut all: Vec<(&dyn Signer, SigAlg)> = rsa_algorithms.map(|alg| (rsa() as &dyn Signer, alg)).to_vec();
    all.extend([
        (&p256 as &dyn Signer, SigAlg::EcdsaP256Sha256),
        (&p384, SigAlg::EcdsaP384Sha384),
        (&p521, SigAlg::EcdsaP521Sha512),
    ]);
    let mut names = Vec::new();
    for (signer, alg) in all {
        let token = sign_with(alg, &claims(), "k", signer).unwrap();
        let verified = JwtSvid::verify(&token, &jwt_bundle("k", signer.public()), &["x"], now()).unwrap();
        assert_eq!(verified.id(), &id("/a"));
        assert_eq!(verified.claims_json()["iss"], "https://issuer");
        assert_eq!(verified.expires_at(), claims().expires_at);
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        names.push(
            serde_json::from_slice::<serde_json::Value>(&header).unwrap()["alg"].as_str().unwrap().to_owned(),
        );
    }
    assert_eq!(names, ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]);
}

#[test]
fn other_algorithms_are_refused_before_anything_else_is_looked_at() {
    // §2.1, §4
    for alg in [
        r#""none""#,
        r#""None""#,
        r#""HS256""#,
        r#""EdDSA""#,
        r#""ES256K""#,
        r#""rs256""#,
        r#""""#,
        "7",
        "null",
    ] {
        let header = format!(r#"{{"alg":{alg},"kid":"unknown"}}"#);
        assert!(matches!(judged(&header, "no claims"), Err(JwtError::Jws(JwsError::Algorithm(_)))), "{alg}");
    }
    assert!(matches!(header_judged(r#"{"kid":"k"}"#), Err(JwtError::Jws(JwsError::Algorithm(_)))));
}

#[test]
fn an_algorithm_must_fit_the_key() {
    // RFC 7518 §3.3 to §3.5
    let p384 = PrivateKey::generate(KeyType::EcP384).unwrap();
    let es256 = sign(&claims(), "k", &key()).unwrap();
    let other_curve = jwt_bundle("k", p384.public());
    assert_eq!(
        JwtSvid::verify(&es256, &other_curve, &["x"], now()).err(),
        Some(JwtError::Jws(JwsError::Signature))
    );
    assert!(matches!(
        sign_with(SigAlg::RsaPkcs1Sha256, &claims(), "k", &key()),
        Err(JwtError::Jws(JwsError::Sign(_)))
    ));
    // The signature is R and S, not ASN.1.
    let signer = key();
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","kid":"k"}"#),
        URL_SAFE_NO_PAD.encode(CLAIMS)
    );
    let asn1 = signer.sign(SigAlg::EcdsaP256Sha256, signed.as_bytes()).unwrap();
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(asn1));
    let refused = JwtSvid::verify(&token, &jwt_bundle("k", signer.public()), &["x"], now());
    assert_eq!(refused.err(), Some(JwtError::Jws(JwsError::Signature)));
}

#[test]
fn the_compact_form_alone_is_read() {
    // §1, §5.1
    let (good, _) = token(HEADER, CLAIMS);
    let parts: Vec<&str> = good.split('.').collect();
    let json =
        format!(r#"{{"protected":"{}","payload":"{}","signature":"{}"}}"#, parts[0], parts[1], parts[2]);
    let standard = format!("{}.{}.{}", parts[0], STANDARD.encode("{\"sub\":\"??>>\"}"), parts[2]);
    let padded = format!("{}.{}.{}", URL_SAFE.encode(r#"{"alg":"RS256","kid":"kk"}"#), parts[1], parts[2]);
    assert!(padded.contains('='));
    for bad in [
        json,
        standard,
        padded,
        format!("{}.{}", parts[0], parts[1]),
        format!("{good}.{}", parts[2]),
        format!("{good}.a.b"),
        format!(" {good}"),
        format!("{good}\n"),
        String::new(),
        "..".into(),
    ] {
        assert!(JwtSvid::parse_unverified(&bad).is_err(), "{bad}");
    }
    assert!(matches!(
        JwtSvid::parse_unverified(&"a".repeat(70_000)),
        Err(JwtError::Jws(JwsError::TooLarge(70_000)))
    ));
}

#[test]
fn types_other_than_jwt_and_jose_are_refused() {
    // §2.3
    for good in [r#","typ":"JWT""#, r#","typ":"JOSE""#, ""] {
        header_judged(&format!(r#"{{"alg":"RS256","kid":"k"{good}}}"#)).unwrap();
    }
    for bad in [r#""jwt""#, r#""at+jwt""#, r#""wit+jwt""#, r#""application/jwt""#, "7", "null"] {
        let header = format!(r#"{{"alg":"RS256","kid":"k","typ":{bad}}}"#);
        assert!(matches!(header_judged(&header), Err(JwtError::Type(_))), "{bad}");
    }
}

#[test]
fn headers_that_point_to_keys_are_not_followed_and_critical_ones_refused() {
    // §2; RFC 7515 §4.1.11
    header_judged(r#"{"alg":"RS256","kid":"k","jku":"https://evil.example/keys"}"#).unwrap();
    let critical = header_judged(r#"{"alg":"RS256","kid":"k","crit":["x"],"x":1}"#);
    assert!(matches!(critical, Err(JwtError::Jws(JwsError::Critical(_)))));
    let twice = header_judged(r#"{"alg":"RS256","kid":"k","kid":"k"}"#);
    assert!(matches!(twice, Err(JwtError::Jws(JwsError::Malformed(_)))));
}

#[test]
fn a_token_that_names_no_key_is_tried_on_those_that_fit() {
    // §2.2
    let header = r#"{"alg":"RS256"}"#;
    header_judged(header).unwrap();
    let (token, mut bundle) = token(header, CLAIMS);
    bundle.retain_jwt(|_| false);
    for (key_id, public_key) in [("a", key().public().clone()), ("b", rsa().public().clone())] {
        let authority = JwtAuthority { key_id: key_id.into(), public_key, expires_at: None, tainted: false };
        bundle.push_jwt(authority).unwrap();
    }
    assert_eq!(JwtSvid::parse_unverified(&token).unwrap().key_id(), None);
    JwtSvid::verify(&token, &bundle, &["x"], now()).unwrap();
    bundle.retain_jwt(|authority| authority.key_id == "a");
    assert_eq!(
        JwtSvid::verify(&token, &bundle, &["x"], now()).err(),
        Some(JwtError::Jws(JwsError::Signature))
    );
    // Issuers always name it.
    assert_eq!(sign(&claims(), "", &key()).err(), Some(JwtError::NoKeyId));
}

#[test]
fn a_token_that_names_an_unknown_key_is_refused() {
    let named = header_judged(r#"{"alg":"RS256","kid":"other"}"#);
    assert!(matches!(named, Err(JwtError::NoAuthority { .. })));
    let (token, _) = token(HEADER, CLAIMS);
    let x509_only = Bundle::new(td());
    assert!(matches!(JwtSvid::verify(&token, &x509_only, &["x"], now()), Err(JwtError::NoAuthority { .. })));
    let other = Bundle::new(spiffe::TrustDomain::parse("other.org").unwrap());
    assert!(matches!(JwtSvid::verify(&token, &other, &["x"], now()), Err(JwtError::NoBundle(_))));
}

#[test]
fn the_subject_is_a_spiffe_id() {
    // §3.1
    for bad in ["", "alice", "https://example.org/a", "spiffe://example.org/", "spiffe://Example.org/a"] {
        let claims = format!(r#"{{"sub":"{bad}","aud":"x","exp":1800000060}}"#);
        assert!(matches!(claims_judged(&claims), Err(JwtError::Subject(_))), "{bad}");
    }
    for bad in
        [r#""aud":"x","exp":1800000060"#, r#""sub":["spiffe://example.org/a"],"aud":"x","exp":1800000060"#]
    {
        assert!(matches!(claims_judged(&format!("{{{bad}}}")), Err(JwtError::NoSubject)));
    }
    // The standard does not forbid the ID of a trust domain here, and SPIRE takes it.
    claims_judged(r#"{"sub":"spiffe://example.org","aud":"x","exp":1800000060}"#).unwrap();
    let twice =
        r#"{"sub":"spiffe://example.org/a","sub":"spiffe://example.org/b","aud":"x","exp":1800000060}"#;
    assert!(matches!(claims_judged(twice), Err(JwtError::Jws(JwsError::Malformed(_)))));
}

#[test]
fn the_audience_is_one_of_those_expected_to_the_byte() {
    // §3.2
    let with = |aud: &str| {
        claims_judged(&format!(r#"{{"sub":"spiffe://example.org/a","aud":{aud},"exp":1800000060}}"#))
    };
    for good in [r#"["b","x"]"#, r#""x""#] {
        with(good).unwrap();
    }
    for bad in [r#"["X"]"#, r#"["x "]"#, r#"["xy"]"#, r#""""#] {
        assert!(matches!(with(bad), Err(JwtError::Audience { .. })), "{bad}");
    }
    for bad in ["[]", "null", "7", r#"["x",7]"#, "{}"] {
        assert_eq!(with(bad), Err(JwtError::NoAudience), "{bad}");
    }
    let without = claims_judged(r#"{"sub":"spiffe://example.org/a","exp":1800000060}"#);
    assert_eq!(without, Err(JwtError::NoAudience));
    // Whoever expects nothing admits nothing.
    let (token, bundle) = token(HEADER, CLAIMS);
    assert!(matches!(JwtSvid::verify(&token, &bundle, &[], now()), Err(JwtError::Audience { .. })));
    for bad in [vec![], vec![String::new()], vec!["x".into(), String::new()]] {
        let claims = JwtSvidClaims { audience: bad, ..claims() };
        assert_eq!(sign(&claims, "k", &key()), Err(JwtError::NoAudience));
    }
}

#[test]
fn a_token_expires_to_the_second_and_may_be_cut_finer() {
    // §3.3, §4
    let with =
        |exp: &str| claims_judged(&format!(r#"{{"sub":"spiffe://example.org/a","aud":"x","exp":{exp}}}"#));
    for good in ["1800000001", "1800000000.5", "1893456000.5", "1.9e9"] {
        with(good).unwrap();
    }
    for bad in ["1800000000", "1799999700", "0"] {
        assert_eq!(with(bad), Err(JwtError::Expired), "{bad}");
    }
    for bad in [r#""1900000000""#, "-1", "1e300", "true", "null"] {
        assert_eq!(with(bad), Err(JwtError::Moment("exp")), "{bad}");
    }
    let without = claims_judged(r#"{"sub":"spiffe://example.org/a","aud":"x"}"#);
    assert_eq!(without, Err(JwtError::NoExpiry));
}

#[test]
fn a_token_that_begins_later_is_refused_with_a_minute_for_clocks_that_differ() {
    // RFC 7519 §4.1.5
    let with = |nbf: &str| {
        claims_judged(&format!(
            r#"{{"sub":"spiffe://example.org/a","aud":"x","exp":1900000000,"nbf":{nbf}}}"#
        ))
    };
    for good in ["0", "1800000000", "1800000060"] {
        with(good).unwrap();
    }
    for bad in ["1800000061", "1800000300"] {
        assert_eq!(with(bad), Err(JwtError::NotYet));
    }
}

#[test]
fn unknown_claims_are_carried_and_the_same_token_verifies_twice() {
    // §3, §7.1
    let with = r#"{"sub":"spiffe://example.org/a","aud":"x","exp":1900000000,"https://x/y":{"z":[1]}}"#;
    let (token, bundle) = token(HEADER, with);
    for _ in 0..2 {
        let svid = JwtSvid::verify(&token, &bundle, &["x"], now()).unwrap();
        assert_eq!(svid.claims_json()["https://x/y"]["z"][0], 1);
        assert_eq!(svid.token(), token);
    }
}

#[test]
fn absurd_times_are_refused_and_do_not_panic() {
    let (token, bundle) = token(HEADER, CLAIMS);
    let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 60);
    assert!(JwtSvid::verify(&token, &bundle, &["x"], before).is_ok());
    assert_eq!(JwtSvid::verify(&token, &bundle, &["x"], far).err(), Some(JwtError::Expired));
    let claims = JwtSvidClaims { issued_at: before, ..claims() };
    assert_eq!(sign(&claims, "k", &key()), Err(JwtError::Moment("iat")));
}

#[test]
fn deep_claims_are_refused() {
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert!(matches!(claims_judged(&deep), Err(JwtError::Jws(JwsError::Malformed(_)))));
}

#[test]
fn the_header_holds_nothing_but_the_three() {
    // §2
    let token = sign(&claims(), "k", &key()).unwrap();
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    assert_eq!(String::from_utf8(header).unwrap(), r#"{"alg":"ES256","kid":"k","typ":"JWT"}"#);
}

#[test]
fn a_token_travels_as_a_bearer_token_over_what_others_cannot_read() {
    // §5.2, §5.3, §7.3
    let token = sign(&claims(), "k", &key()).unwrap();
    let value = authorization(&token, Channel::Tls).unwrap();
    assert_eq!(value, format!("Bearer {token}"));
    assert_eq!(authorization(&token, Channel::Local).unwrap(), value);
    assert_eq!(authorization(&token, Channel::Cleartext), Err(JwtError::Cleartext));
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(from_authorization(&format!("{scheme} {token}")).unwrap(), token);
    }
    for bad in ["", "Bearer", "Bearer ", &token, "Basic YTpi", "Bearer a b", "Bearer a,Bearer b\n"] {
        assert_eq!(from_authorization(bad), Err(JwtError::NotBearer), "{bad}");
    }
}

#[test]
fn a_key_that_is_published_for_one_algorithm_verifies_no_other() {
    // RFC 7517 §4.4
    let published = |alg: &str| {
        let mut jwk = spiffe::jwk::to_jwk(rsa().public());
        jwk.insert("use".into(), "jwt-svid".into());
        jwk.insert("kid".into(), "k".into());
        jwk.insert("alg".into(), alg.into());
        let document = format!(r#"{{"keys":[{}]}}"#, serde_json::Value::Object(jwk));
        Bundle::parse_spiffe_json(td(), &document).unwrap()
    };
    let token = sign_with(SigAlg::RsaPssSha256, &claims(), "k", rsa()).unwrap();
    let fits = published("PS256");
    assert_eq!(JwtSvid::verify(&token, &fits, &["x"], now()).unwrap().authority().key_id, "k");
    let other = JwtSvid::verify(&token, &published("RS256"), &["x"], now());
    assert_eq!(other.err(), Some(JwtError::Jws(JwsError::Signature)));
    // One that is for nothing that SVIDs know is none.
    assert!(published("RSA-OAEP").jwt_authorities().is_empty());
    let again = Bundle::parse_spiffe_json(td(), &fits.to_spiffe_json()).unwrap();
    assert_eq!(again.jwt_authorities()[0].public_key.limit(), Some(SigAlg::RsaPssSha256));
}

#[test]
fn an_authority_verifies_until_it_leaves_the_bundle_also_when_it_is_tainted_or_its_time_is_over() {
    // §6: what verifies is what the bundle holds; its publisher takes out what is revoked
    let (token, bundle) = token(HEADER, CLAIMS);
    let mut held = Bundle::new(bundle.trust_domain().clone());
    let over = Some(now() - Duration::from_secs(86_400));
    let old = JwtAuthority { tainted: true, expires_at: over, ..bundle.jwt_authorities()[0].clone() };
    held.push_jwt(old).unwrap();
    let verified = JwtSvid::verify(&token, &held, &["x"], now()).unwrap();
    assert!(verified.authority().tainted && verified.authority().expires_at == over);
    held.retain_jwt(|_| false);
    assert!(JwtSvid::verify(&token, &held, &["x"], now()).is_err());
}

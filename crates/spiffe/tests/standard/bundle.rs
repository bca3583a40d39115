//! SPIFFE_Trust_Domain_and_Bundle.md, and what X509-SVID.md and JWT-SVID.md say of bundles.

use std::time::Duration;

use serde_json::{Value, json};
use spiffe::bundle::{
    Bundle, BundleError, DocumentError, JwtAuthority, KeyProblem, WitAuthority, X509Authority,
};
use spiffe::jwk::to_jwk;
use spiffe::key::Signer;
use spiffe::x509::Certificate;

use super::forge::*;

pub(crate) fn full() -> Bundle {
    let (_, mut bundle) = root();
    let authority = JwtAuthority {
        key_id: "k".into(),
        public_key: rsa().public().clone(),
        expires_at: None,
        tainted: false,
    };
    bundle.push_jwt(authority).unwrap();
    bundle.sequence = 7;
    bundle.refresh_hint = Some(Duration::from_secs(300));
    bundle
}

fn parse(document: &Value) -> Result<Bundle, DocumentError> {
    Bundle::parse_spiffe_json(td(), &document.to_string())
}

/// Why keys of a document are passed over, each with its place.
fn problems(document: &Value) -> Vec<(usize, KeyProblem)> {
    let read = Bundle::read_spiffe_json(td(), &document.to_string()).unwrap();
    read.passed_over.into_iter().map(|key| (key.index, key.why)).collect()
}

fn authorities(document: &Value) -> (usize, usize) {
    let bundle = parse(document).unwrap();
    (bundle.x509_authorities().len(), bundle.jwt_authorities().len())
}

#[test]
fn a_document_says_what_each_key_is_for() {
    // §4; X509-SVID §6.1; JWT-SVID §6.1
    let document: Value = serde_json::from_str(&full().to_spiffe_json()).unwrap();
    assert_eq!((&document["spiffe_sequence"], &document["spiffe_refresh_hint"]), (&json!(7), &json!(300)));
    let names = |key: &Value| key.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let keys = document["keys"].as_array().unwrap();
    assert_eq!(names(&keys[0]), ["use", "kty", "crv", "x", "y", "x5c"]);
    assert_eq!(names(&keys[1]), ["use", "kid", "kty", "n", "e"]);
    assert_eq!((&keys[0]["use"], &keys[1]["use"]), (&json!("x509-svid"), &json!("jwt-svid")));
    assert_eq!(keys[0]["x5c"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_published_is_read_back() {
    let bundle = full();
    assert_eq!(Bundle::parse_spiffe_json(td(), &bundle.to_spiffe_json()).unwrap(), bundle);
    let x509_only = Bundle::parse_pem(td(), &bundle.to_pem()).unwrap();
    assert_eq!(x509_only.x509_authorities(), bundle.x509_authorities());
    let x509_only = Bundle::parse_x509_concatenated(td(), &bundle.x509_der_concatenated()).unwrap();
    assert_eq!(x509_only.x509_authorities(), bundle.x509_authorities());
    let jwt_only = Bundle::parse_jwks_json(td(), &bundle.to_jwks_json()).unwrap();
    assert_eq!(jwt_only.jwt_authorities(), bundle.jwt_authorities());
}

#[test]
fn an_empty_bundle_has_an_empty_list() {
    // §4.1.3
    let empty = Bundle::new(td());
    assert_eq!(empty.to_spiffe_json(), r#"{"keys":[]}"#);
    assert_eq!(empty.to_jwks_json(), r#"{"keys":[]}"#);
    assert_eq!(authorities(&json!({ "keys": [], "foo": 1 })), (0, 0));
    for bad in [json!({}), json!({ "keys": null }), json!({ "keys": {} })] {
        assert_eq!(parse(&bad), Err(DocumentError::NoKeys));
    }
    for bad in ["", "[]", r#"{"keys":[],"keys":[]}"#, r#"{"keys":[]} {}"#] {
        assert!(matches!(Bundle::parse_spiffe_json(td(), bad), Err(DocumentError::Json(_))), "{bad}");
    }
}

#[test]
fn a_key_that_cannot_be_used_is_passed_over_alone() {
    // §4.1.3, §4.2
    let good: Value = serde_json::from_str(&full().to_spiffe_json()).unwrap();
    let mut point = to_jwk(key().public());
    point.insert("use".into(), json!("jwt-svid"));
    point.insert("kid".into(), json!("p"));
    let mut off_curve = point.clone();
    off_curve["y"] = off_curve["x"].clone();
    let mut secret = point.clone();
    secret.insert("d".into(), json!("AAAA"));
    for bad in [
        json!({ "kty": "AKP", "use": "jwt-svid", "kid": "m", "pub": "AA" }),
        json!({ "kty": "oct", "use": "jwt-svid", "kid": "s", "k": "AAAA" }),
        json!({ "kty": "EC", "use": "jwt-svid", "kid": "c", "crv": "secp256k1", "x": "AA", "y": "AA" }),
        json!({ "kty": "EC", "use": "jwt-svid", "kid": "c", "crv": "P-256" }),
        json!({ "use": "jwt-svid", "kid": "c" }),
        json!({ "kty": "RSA", "use": "x509-svid", "n": "AQAB", "e": "AQAB", "x5c": ["no matter"] }),
        json!({}),
        json!("text"),
        Value::Object(off_curve),
        Value::Object(secret),
    ] {
        let mut document = good.clone();
        document["keys"].as_array_mut().unwrap().insert(0, bad.clone());
        assert_eq!(authorities(&document), (1, 1), "{bad}");
        assert_eq!(problems(&document).len(), 1, "{bad}");
    }
}

#[test]
fn keys_of_other_uses_or_without_a_name_are_passed_over() {
    // §4.2.2; JWT-SVID §6.1
    let good: Value = serde_json::from_str(&full().to_spiffe_json()).unwrap();
    for (index, left) in [(0, (0, 1)), (1, (1, 0))] {
        for what in
            [json!("foo-svid"), json!("X509-SVID"), json!("WIT-SVID"), json!("sig"), json!(null), json!(7)]
        {
            let mut document = good.clone();
            document["keys"][index]["use"] = what;
            assert_eq!(authorities(&document), left);
        }
    }
    for kid in [json!(null), json!("")] {
        let mut document = good.clone();
        document["keys"][1]["kid"] = kid;
        assert_eq!(authorities(&document), (1, 0));
    }
    let mut tolerated = good.clone();
    tolerated["keys"][0]["kid"] = json!("k");
    assert_eq!(authorities(&tolerated), (1, 1));
}

#[test]
fn the_first_certificate_of_an_entry_counts() {
    // X509-SVID §6.2
    let good: Value = serde_json::from_str(&full().to_spiffe_json()).unwrap();
    let other: Value = serde_json::from_str(&full().to_spiffe_json()).unwrap();
    let mut two = good.clone();
    two["keys"][0]["x5c"].as_array_mut().unwrap().push(other["keys"][0]["x5c"][0].clone());
    assert_eq!(parse(&two), parse(&good));
    for none in [json!([]), json!(null), json!("text")] {
        let mut document = good.clone();
        document["keys"][0]["x5c"] = none;
        assert_eq!(authorities(&document), (0, 1));
    }
    let mut mixed = good.clone();
    mixed["keys"][0]["x5c"] = other["keys"][0]["x5c"].clone();
    assert_eq!(problems(&mixed), [(0, KeyProblem::OtherKey)]);
    for (bad, der) in [(json!(["*"]), false), (json!(["AAAA"]), true), (json!([7]), false)] {
        let mut document = good.clone();
        document["keys"][0]["x5c"] = bad;
        assert_eq!(authorities(&document), (0, 1));
        match problems(&document).as_slice() {
            [(0, KeyProblem::Base64)] => assert!(!der),
            [(0, KeyProblem::Certificate(_))] => assert!(der),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn sequence_numbers_have_all_their_digits() {
    // §4.1.1
    for number in [9_007_199_254_740_993_u64, u64::MAX, 1] {
        let bundle = parse(&json!({ "keys": [], "spiffe_sequence": number })).unwrap();
        assert_eq!(bundle.sequence, number);
    }
    for bad in ["-1", "1.5", "\"3\"", "18446744073709551616", "1e400"] {
        let text = format!(r#"{{"keys":[],"spiffe_sequence":{bad}}}"#);
        assert!(Bundle::parse_spiffe_json(td(), &text).is_err(), "{bad}");
    }
}

#[test]
fn a_refresh_hint_neither_spins_nor_stalls() {
    // §4.1.2
    let hint =
        |value: Value| parse(&json!({ "keys": [], "spiffe_refresh_hint": value })).map(|b| b.refresh_hint);
    assert_eq!(hint(json!(300)), Ok(Some(Duration::from_secs(300))));
    assert_eq!(hint(json!(0)), Ok(None));
    assert_eq!(hint(json!(-5)), Ok(None));
    assert_eq!(hint(json!(i64::MAX)), Ok(Some(Duration::from_secs(365 * 24 * 3600))));
    assert!(hint(json!("300")).is_err());
    assert!(hint(json!(1.5)).is_err());
}

#[test]
fn keys_without_a_use_sign_tokens_in_a_plain_key_set_only() {
    // JWT-SVID §6.2; SPIRE's Workload API leaves it away.
    let mut key = to_jwk(rsa().public());
    key.insert("kid".into(), json!("k"));
    let set = |key: &Value| json!({ "keys": [key] });
    let plain = set(&Value::Object(key.clone()));
    assert_eq!(authorities(&plain), (0, 0));
    let count =
        |set: &Value| Bundle::parse_jwks_json(td(), &set.to_string()).unwrap().jwt_authorities().len();
    assert_eq!(count(&plain), 1);
    for (what, found) in [("jwt-svid", 1), ("wit-svid", 0), ("x509-svid", 0)] {
        key.insert("use".into(), json!(what));
        assert_eq!(count(&set(&Value::Object(key.clone()))), found, "{what}");
    }
}

#[test]
fn an_authority_is_held_once_and_stays_tainted() {
    let (issuer, mut bundle) = root();
    let certificate: Certificate = issuer.certificate().clone();
    let with = |tainted| X509Authority { certificate: certificate.clone(), tainted };
    assert_eq!(bundle.push_x509(with(false)), Ok(false));
    assert_eq!(bundle.push_x509(with(true)), Ok(true));
    assert_eq!(bundle.push_x509(with(false)), Ok(false));
    assert_eq!((bundle.x509_authorities().len(), bundle.x509_authorities()[0].tainted), (1, true));
    assert!(bundle.retain_x509(|authority| !authority.tainted));
    assert!(bundle.x509_authorities().is_empty());
}

#[test]
fn too_much_is_refused() {
    let huge = " ".repeat((16 << 20) + 1);
    assert!(matches!(Bundle::parse_spiffe_json(td(), &huge), Err(DocumentError::TooLarge(_))));
    assert!(Bundle::parse_pem(td(), &huge).is_err());
    let refused = |text: &str| match Bundle::parse_spiffe_json(td(), text) {
        Err(DocumentError::Json(why)) => why,
        other => panic!("{other:?}"),
    };
    let list = |element: &str, count: usize| format!(r#"{{"keys":[{}]}}"#, vec![element; count].join(","));
    assert!(refused(&list("{}", 32_769)).contains("32768"));
    assert!(Bundle::parse_spiffe_json(td(), &list("7", 32_768)).is_ok());
    let members: Vec<String> = (0..1001).map(|i| format!(r#""m{i}":0"#)).collect();
    assert!(refused(&format!("{{{}}}", members.join(","))).contains("1000"));
}

pub(crate) fn wit(key_id: &str) -> WitAuthority {
    let public_key = key().public().clone();
    WitAuthority { key_id: key_id.into(), public_key, expires_at: None, tainted: false }
}

#[test]
fn keys_of_wit_svids_are_published_when_asked_for() {
    // WIT-SVID §6.1; Workload API §7.2.2
    let mut bundle = full();
    assert_eq!(bundle.push_wit(wit("w")), Ok(true));
    let without = Bundle::parse_spiffe_json(td(), &bundle.to_spiffe_json()).unwrap();
    assert_eq!((without.x509_authorities().len(), without.jwt_authorities().len()), (1, 1));
    assert!(without.wit_authorities().is_empty());
    let with = Bundle::parse_spiffe_json(td(), &bundle.to_spiffe_json_with_wit()).unwrap();
    assert_eq!(with, bundle);
    let text = bundle.to_wit_jwks_json();
    let set: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&set["keys"][0]["use"], &set["keys"][0]["kid"]), (&json!("wit-svid"), &json!("w")));
    let wit_only = Bundle::parse_wit_jwks_json(td(), &text).unwrap();
    assert_eq!(wit_only.wit_authorities(), bundle.wit_authorities());
    assert!(Bundle::parse_jwks_json(td(), &text).unwrap().jwt_authorities().is_empty());
    assert!(Bundle::parse_jwks_json(td(), &bundle.to_jwks_json()).unwrap().wit_authorities().is_empty());
}

#[test]
fn a_key_id_is_for_one_use() {
    // WIT-SVID §6.1
    let mut bundle = full();
    assert_eq!(bundle.push_wit(wit("k")), Err(BundleError::OtherUse { key_id: "k".into() }));
    assert_eq!(bundle.push_wit(wit("")), Err(BundleError::NoWitKeyId));
    assert_eq!(bundle.push_wit(wit("K")), Ok(true));
    let jwt = JwtAuthority { key_id: "K".into(), ..bundle.jwt_authorities()[0].clone() };
    assert_eq!(bundle.push_jwt(jwt), Err(BundleError::OtherUse { key_id: "K".into() }));
    assert_eq!(bundle.push_wit(WitAuthority { tainted: true, ..wit("K") }), Ok(true));
    assert!(bundle.wit_authority("K").unwrap().tainted && bundle.wit_authority("k").is_none());

    let mut document: Value = serde_json::from_str(&bundle.to_spiffe_json_with_wit()).unwrap();
    document["keys"][2]["kid"] = json!("k");
    let read = parse(&document).unwrap();
    assert_eq!((read.jwt_authorities().len(), read.wit_authorities().len()), (1, 0));
    assert!(bundle.retain_wit(|authority| !authority.tainted));
    assert!(bundle.wit_authorities().is_empty());
}

#[test]
fn depth_costs_nothing() {
    // What is passed over is not descended into.
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let lists = nested("[", "]");
    for text in [
        format!(r#"{{"keys":[],"foo":{lists}}}"#),
        format!(r#"{{"keys":[{lists}]}}"#),
        format!(r#"{{"keys":[{{"x":{lists},"x5c":[{lists}],"y":{lists}}}]}}"#),
    ] {
        assert_eq!(
            Bundle::parse_spiffe_json(td(), &text).map(|bundle| bundle.x509_authorities().len()),
            Ok(0)
        );
    }
}

#[test]
fn a_reader_learns_what_it_passed_over() {
    let long = "k".repeat(1000);
    let document = json!({ "keys": [
        7,
        { "kty": "RSA" },
        { "use": "foo\nsvid", "kid": long },
        { "use": "x509-svid" },
        { "use": "jwt-svid", "kty": "RSA" },
        { "use": "jwt-svid", "kty": "oct", "kid": "o", "k": "AAAA" },
    ] });
    let read = Bundle::read_spiffe_json(td(), &document.to_string()).unwrap();
    let said: Vec<String> = read.passed_over.iter().map(ToString::to_string).collect();
    let kid = format!("{:?}", "k".repeat(64));
    assert_eq!(
        said,
        [
            "key 0 of the bundle is passed over: it is no object".to_owned(),
            "key 1 of the bundle is passed over: it has no \"use\"".to_owned(),
            format!(r#"key 2 of the bundle ({kid}) is passed over: its use "foo\nsvid" is not known"#),
            "key 3 of the bundle is passed over: it has no certificate in \"x5c\"".to_owned(),
            "key 4 of the bundle is passed over: it has no \"kid\"".to_owned(),
            "key 5 of the bundle (\"o\") is passed over: it holds the private key too, which is then known to whoever \
             reads it"
                .to_owned(),
        ]
    );
}

#[test]
fn a_key_that_says_a_thing_twice_is_passed_over() {
    let good = full().to_spiffe_json();
    for twice in ["\"use\":\"jwt-svid\"", "\"\\u0075se\":\"jwt-svid\"", "\"kid\":\"k\",\"kid\":\"k\""] {
        let text = good.replacen("{\"use\":\"x509-svid\"", &format!("{{\"use\":\"x509-svid\",{twice}"), 1);
        let read = Bundle::read_spiffe_json(td(), &text).unwrap();
        assert!(matches!(read.passed_over[0].why, KeyProblem::Twice(_)), "{twice}");
        assert_eq!((read.bundle.x509_authorities().len(), read.bundle.jwt_authorities().len()), (0, 1));
    }
}

#[test]
fn of_two_keys_with_one_name_the_first_has_it() {
    // WIT-SVID §6.1
    let key_of = |what: &str, public: &spiffe::key::PublicKey| {
        let mut key = to_jwk(public);
        key.insert("use".into(), json!(what));
        key.insert("kid".into(), json!("k"));
        Value::Object(key)
    };
    let (one, two) = (key_of("jwt-svid", rsa().public()), key_of("wit-svid", key().public()));
    for (keys, uses) in [([&one, &two], (1, 0)), ([&two, &one], (0, 1)), ([&one, &one], (1, 0))] {
        let read = Bundle::read_spiffe_json(td(), &json!({ "keys": keys }).to_string()).unwrap();
        assert_eq!((read.bundle.jwt_authorities().len(), read.bundle.wit_authorities().len()), uses);
        assert_eq!((read.passed_over[0].index, &read.passed_over[0].why), (1, &KeyProblem::KeyIdTaken));
    }
}

//! SPIFFE_Trust_Domain_and_Bundle.md §5: bundle maps. And the forms of bundle files.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use spiffe::TrustDomain;
use spiffe::bundle::{
    Bundle, BundleForm, BundleSet, DocumentError, FormError, JwtAuthority, KeyProblem, MapError, WitKeys,
};
use spiffe::key::Signer;

use super::bundle::{full, wit};
use super::forge::*;

fn other(name: &str) -> Bundle {
    let mut bundle = Bundle::new(TrustDomain::parse(name).unwrap());
    let public_key = key().public().clone();
    bundle
        .push_jwt(JwtAuthority { key_id: "k".into(), public_key, expires_at: None, tainted: false })
        .unwrap();
    bundle
}

fn document(bundle: &Bundle) -> Value {
    serde_json::from_str(&bundle.to_spiffe_json()).unwrap()
}

#[test]
fn a_map_is_read_as_it_was_written() {
    let mut own = full();
    own.push_wit(wit("w")).unwrap();
    let set: BundleSet = [own, other("b.org")].into_iter().map(Arc::new).collect();
    let mut expected = full();
    expected.refresh_hint = None;
    let read = BundleSet::parse_map_json(&set.to_map_json(WitKeys::Omitted)).unwrap();
    assert_eq!((read.len(), read.get(&td()).unwrap().refresh_hint), (2, None));
    assert!(read.get(&td()).unwrap().wit_authorities().is_empty());
    assert!(!set.to_map_json(WitKeys::Included).contains("refresh_hint"), "§5.1.1");
    let read = BundleSet::parse_map_json(&set.to_map_json(WitKeys::Included)).unwrap();
    assert_eq!(read.get(&td()).unwrap().wit_authorities(), set.get(&td()).unwrap().wit_authorities());
    assert_eq!(BundleSet::default().to_map_json(WitKeys::Included), r#"{"trust_domains":{}}"#);
}

#[test]
fn a_map_has_trust_domains_and_may_have_more() {
    assert!(BundleSet::parse_map_json(r#"{"trust_domains":{},"foo":[1]}"#).unwrap().is_empty());
    assert_eq!(BundleSet::parse_map_json("{}"), Err(MapError::NoTrustDomains));
    for bad in ["", "[]", r#"{"trust_domains":null}"#, r#"{"trust_domains":[]}"#, r#"{"trust_domains":{}} 1"#]
    {
        assert!(matches!(BundleSet::parse_map_json(bad), Err(MapError::Json(_))), "{bad}");
    }
}

#[test]
fn a_name_stands_in_a_map_once_however_it_is_written() {
    // §5.1.1, §6.3
    for bad in [
        r#"{"trust_domains":{"a":{"keys":[]},"a":{"keys":[]}}}"#,
        r#"{"trust_domains":{"a":{"keys":[]},"\u0061":{"keys":[]}}}"#,
        r#"{"trust_domains":{},"trust_domains":{}}"#,
        r#"{"trust_domains":{"a":{"keys":[],"keys":[]}}}"#,
    ] {
        match BundleSet::parse_map_json(bad) {
            Err(MapError::Json(why)) => assert!(why.contains("twice"), "{why}"),
            read => panic!("{read:?}"),
        }
    }
}

#[test]
fn names_in_a_map_are_those_of_trust_domains() {
    for bad in ["spiffe://example.com", "Example.com", "example.com/", ""] {
        let map = json!({ "trust_domains": { "a.org": { "keys": [] }, bad: { "keys": [] } } });
        assert!(matches!(BundleSet::parse_map_json(&map.to_string()), Err(MapError::Name { .. })), "{bad}");
    }
}

#[test]
fn a_map_is_taken_as_a_whole() {
    // Appendix B.1
    let whole = |bad: Value| {
        let map = json!({ "trust_domains": { "example.org": document(&full()), "b.org": bad } });
        BundleSet::read_map_json(&map.to_string())
    };
    let b = TrustDomain::parse("b.org").unwrap();
    let refused = |cause| Err(MapError::Bundle { trust_domain: b.clone(), cause });
    assert_eq!(whole(json!({})), refused(DocumentError::NoKeys));
    assert_eq!(
        whole(json!({ "keys": [], "spiffe_sequence": -1 })),
        refused(DocumentError::Number("spiffe_sequence"))
    );
    let read = whole(json!({ "keys": [{}], "spiffe_refresh_hint": "no matter" })).unwrap();
    assert_eq!(read.bundles.len(), 2);
    assert_eq!((&read.passed_over[0].0, &read.passed_over[0].1.why), (&b, &KeyProblem::NoUse));
}

#[test]
fn a_map_is_bounded() {
    let many: Vec<String> = (0..10_001).map(|i| format!(r#""d{i}":{{"keys":[]}}"#)).collect();
    let map = format!(r#"{{"trust_domains":{{{}}}}}"#, many.join(","));
    assert!(matches!(BundleSet::parse_map_json(&map), Err(MapError::Json(_))));
    let keys = vec!["0"; 20_000].join(",");
    let map = format!(r#"{{"trust_domains":{{"a":{{"keys":[{keys}]}},"b":{{"keys":[{keys}]}}}}}}"#);
    assert!(matches!(BundleSet::parse_map_json(&map), Err(MapError::Json(_))), "all lists count together");
    assert!(matches!(BundleSet::parse_map_json(&" ".repeat((16 << 20) + 1)), Err(MapError::TooLarge(_))));
}

#[test]
fn a_key_of_two_trust_domains_is_noticed() {
    // §2, §6.2
    let (a, mut b) = (full(), other("b.org"));
    let set = |b: &Bundle| [a.clone(), b.clone()].into_iter().map(Arc::new).collect::<BundleSet>();
    assert!(set(&b).shared_keys().is_empty());
    let shared = JwtAuthority { key_id: "elsewhere".into(), ..a.jwt_authorities()[0].clone() };
    b.push_jwt(shared.clone()).unwrap();
    let set = set(&b);
    let found = set.shared_keys();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].first.as_str(), found[0].second.as_str()), ("b.org", "example.org"));
    assert_eq!(found[0].spki, shared.public_key.spki_der());
}

#[test]
fn a_file_holds_a_bundle_in_one_of_two_forms() {
    let bundle = full();
    for form in [BundleForm::Pem, BundleForm::Spiffe] {
        assert_eq!(form.as_str().parse(), Ok(form));
        let read = form.read(td(), &form.write(&bundle)).unwrap();
        assert_eq!(read.bundle.x509_authorities(), bundle.x509_authorities());
        assert!(read.passed_over.is_empty());
    }
    assert!("PEM".parse::<BundleForm>().is_err());
    let pem = BundleForm::Pem.read(td(), &bundle.to_spiffe_json());
    assert!(matches!(pem, Err(FormError::LooksLikeSpiffe(_))), "{pem:?}");
    let spiffe = BundleForm::Spiffe.read(td(), &bundle.to_pem());
    assert!(matches!(spiffe, Err(FormError::LooksLikePem(_))), "{spiffe:?}");
    assert!(matches!(BundleForm::Pem.read(td(), ""), Err(FormError::Pem(_))));
    assert!(matches!(BundleForm::Spiffe.read(td(), ""), Err(FormError::Spiffe(_))));
    let hint = BundleForm::Spiffe.read(td(), r#"{"keys":[],"spiffe_refresh_hint":9}"#).unwrap().bundle;
    assert_eq!(hint.refresh_hint, Some(Duration::from_secs(9)));
}

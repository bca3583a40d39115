use proto::spire::api::types::Spiffeid;

use super::*;

#[test]
fn a_file_in_spires_form_is_read() {
    let document = br#"{"entries": [{
        "entry_id": "x", "spiffe_id": "spiffe://example.org/web", "parent_id": "spiffe://example.org/p",
        "selectors": [{"type": "unix", "value": "uid:1"}], "x509_svid_ttl": 60, "jwt_svid_ttl": 30,
        "federates_with": ["spiffe://other.org", "third.org"], "admin": true, "entryExpiry": 5, "dns_names": ["a"],
        "Hint": "h", "downstream": null, "store_svid": true,
        "additional_attributes": {"disable_x509_svid_prefetch": true}
    }]}"#;
    let (entries, remarks) = entries(document).unwrap();
    assert!(remarks.is_empty(), "{remarks:?}");
    let id = |path: &str| Some(Spiffeid { trust_domain: "example.org".to_owned(), path: path.to_owned() });
    assert_eq!(
        entries,
        [Entry {
            id: "x".to_owned(),
            spiffe_id: id("/web"),
            parent_id: id("/p"),
            selectors: vec![Selector { r#type: "unix".to_owned(), value: "uid:1".to_owned() }],
            x509_svid_ttl: 60,
            jwt_svid_ttl: 30,
            federates_with: vec!["other.org".to_owned(), "third.org".to_owned()],
            admin: true,
            expires_at: 5,
            dns_names: vec!["a".to_owned()],
            hint: "h".to_owned(),
            store_svid: true,
            additional_attributes: Some(AdditionalAttributes {
                disable_x509_svid_prefetch: true,
                jwt_svid_include_jti: false
            }),
            ..Entry::default()
        }]
    );
}

#[test]
fn what_is_not_known_is_remarked_on() {
    let document = br#"{"entries": [{"spiffe_id": "spiffe://a/b", "parent_id": "spiffe://a/c", "ttl": 5,
        "selectors": [{"type": "a", "value": "b", "why": 1}]}], "more": 1}"#;
    let (_, remarks) = entries(document).unwrap();
    assert_eq!(
        remarks,
        [
            "more is not known and was left out",
            "entries[0].ttl is not known and was left out",
            "entries[0].selectors[0].why is not known and was left out",
        ]
    );
}

#[test]
fn mistakes_name_their_place() {
    let complaint = |document: &str| entries(document.as_bytes()).unwrap_err();
    assert!(complaint("{").starts_with("it is not JSON: "));
    assert!(complaint("{}").starts_with("it has no \"entries\""));
    assert_eq!(complaint("[]"), "the document is no object");
    assert_eq!(complaint(r#"{"entries": 5}"#), "entries is no list");
    assert_eq!(complaint(r#"{"entries": [{}]}"#), "entries[0].spiffe_id is missing");
    assert!(
        complaint(r#"{"entries": [{"spiffe_id": "x"}]}"#)
            .starts_with("entries[0].spiffe_id is wrong: SPIFFE ID \"x\"")
    );
    let with = |rest: &str| {
        complaint(&format!(
            r#"{{"entries": [{{"spiffe_id": "spiffe://a/b", "parent_id": "spiffe://a/c", {rest}}}]}}"#
        ))
    };
    assert_eq!(with(r#""admin": "yes""#), "entries[0].admin is neither true nor false");
    assert_eq!(
        with(r#""x509_svid_ttl": 9999999999"#),
        "entries[0].x509_svid_ttl is no whole number, or too large"
    );
    assert_eq!(with(r#""dns_names": "a""#), "entries[0].dns_names is no list of texts");
    assert_eq!(with(r#""selectors": ["a:b"]"#), "entries[0].selectors[0] is no object");
}

#[test]
fn ids_are_read() {
    assert_eq!(ids(br#"{"ids": ["a", "b"]}"#).unwrap(), ["a", "b"]);
    assert!(ids(br#"{"id": "a"}"#).unwrap_err().starts_with("it has no \"ids\""));
}

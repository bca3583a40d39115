use std::collections::BTreeMap;

use proto::spire::api::server::agent::v1::ListAgentsResponse;
use proto::spire::api::server::bundle::v1::{
    BatchSetFederatedBundleResponse, batch_set_federated_bundle_response,
};
use proto::spire::api::server::entry::v1::{
    BatchCreateEntryResponse, BatchDeleteEntryResponse, ListEntriesResponse, batch_create_entry_response,
    batch_delete_entry_response,
};
use proto::spire::api::server::svid::v1::MintJwtsvidResponse;
use proto::spire::api::types::entry::AdditionalAttributes;
use proto::spire::api::types::{
    Agent, Bundle, Entry, JoinToken, JwtKey, Jwtsvid, Selector, Spiffeid, Status, X509Certificate,
};
use proto::workload;

use super::*;
use crate::output::print_json;

fn printed(message: &impl ToJson) -> String {
    let mut out = Vec::new();
    print_json(&mut out, message.to_json()).unwrap();
    String::from_utf8(out).unwrap()
}

fn id(path: &str) -> Option<Spiffeid> {
    Some(Spiffeid { trust_domain: "example.org".to_owned(), path: path.to_owned() })
}

#[test]
fn zero_values_are_there_and_absent_messages_are_not() {
    assert_eq!(
        printed(&Entry::default()),
        concat!(
            r#"{"admin":false,"created_at":"0","dns_names":[],"downstream":false,"expires_at":"0","#,
            r#""federates_with":[],"hint":"","id":"","jwt_svid_ttl":0,"revision_number":"0","selectors":[],"#,
            r#""store_svid":false,"x509_svid_ttl":0}"#,
            "\n"
        )
    );
}

#[test]
fn an_entry_has_the_names_of_the_wire() {
    let entry = Entry {
        id: "x".to_owned(),
        spiffe_id: id("/web"),
        parent_id: id("/p"),
        selectors: vec![Selector { r#type: "unix".to_owned(), value: "uid:1".to_owned() }],
        x509_svid_ttl: 60,
        federates_with: vec!["other.org".to_owned()],
        expires_at: 1_700_000_000,
        additional_attributes: Some(AdditionalAttributes::default()),
        ..Entry::default()
    };
    let list = ListEntriesResponse { entries: vec![entry], next_page_token: String::new() };
    assert_eq!(
        printed(&list),
        concat!(
            r#"{"entries":[{"additional_attributes":{"disable_x509_svid_prefetch":false,"jwt_svid_include_jti":false},"#,
            r#""admin":false,"created_at":"0","dns_names":[],"downstream":false,"expires_at":"1700000000","#,
            r#""federates_with":["other.org"],"hint":"","id":"x","jwt_svid_ttl":0,"#,
            r#""parent_id":{"path":"/p","trust_domain":"example.org"},"revision_number":"0","#,
            r#""selectors":[{"type":"unix","value":"uid:1"}],"#,
            r#""spiffe_id":{"path":"/web","trust_domain":"example.org"},"store_svid":false,"x509_svid_ttl":60}],"#,
            r#""next_page_token":""}"#,
            "\n"
        )
    );
}

#[test]
fn batches_show_each_status() {
    let status = Status { code: 6, message: "similar entry already exists".to_owned() };
    let create = BatchCreateEntryResponse {
        results: vec![batch_create_entry_response::Result { status: Some(status.clone()), entry: None }],
    };
    assert_eq!(
        printed(&create),
        "{\"results\":[{\"status\":{\"code\":6,\"message\":\"similar entry already exists\"}}]}\n"
    );
    let delete = BatchDeleteEntryResponse {
        results: vec![batch_delete_entry_response::Result {
            status: Some(Status::default()),
            id: "x".to_owned(),
        }],
    };
    assert_eq!(printed(&delete), "{\"results\":[{\"id\":\"x\",\"status\":{\"code\":0,\"message\":\"\"}}]}\n");
    let set = BatchSetFederatedBundleResponse {
        results: vec![batch_set_federated_bundle_response::Result { status: Some(status), bundle: None }],
    };
    assert!(printed(&set).starts_with("{\"results\":[{\"status\":{\"code\":6,"));
}

#[test]
fn agents_and_tokens_have_times_as_texts() {
    let agent = Agent {
        id: id("/spire/agent/a"),
        attestation_type: "join_token".to_owned(),
        x509svid_serial_number: "12".to_owned(),
        x509svid_expires_at: 5,
        can_reattest: true,
        ..Agent::default()
    };
    assert_eq!(
        printed(&ListAgentsResponse { agents: vec![agent], next_page_token: String::new() }),
        concat!(
            r#"{"agents":[{"agent_version":"","attestation_type":"join_token","banned":false,"can_reattest":true,"#,
            r#""id":{"path":"/spire/agent/a","trust_domain":"example.org"},"selectors":[],"#,
            r#""x509svid_expires_at":"5","x509svid_serial_number":"12"}],"next_page_token":""}"#,
            "\n"
        )
    );
    let token = JoinToken { value: "v".to_owned(), expires_at: 9 };
    assert_eq!(printed(&token), "{\"expires_at\":\"9\",\"value\":\"v\"}\n");
}

#[test]
fn a_bundle_has_its_bytes_in_base64() {
    let bundle = Bundle {
        trust_domain: "example.org".to_owned(),
        x509_authorities: vec![X509Certificate { asn1: vec![1, 2, 3, 250], tainted: false }],
        jwt_authorities: vec![JwtKey {
            public_key: vec![0],
            key_id: "k".to_owned(),
            expires_at: 7,
            tainted: true,
        }],
        refresh_hint: 60,
        sequence_number: u64::MAX,
        wit_authorities: vec![],
    };
    assert_eq!(
        printed(&bundle),
        concat!(
            r#"{"jwt_authorities":[{"expires_at":"7","key_id":"k","public_key":"AA==","tainted":true}],"#,
            r#""refresh_hint":"60","sequence_number":"18446744073709551615","trust_domain":"example.org","#,
            r#""wit_authorities":[],"x509_authorities":[{"asn1":"AQID+g==","tainted":false}]}"#,
            "\n"
        )
    );
}

#[test]
fn a_minted_token_is_nested() {
    let svid =
        Jwtsvid { token: "t".to_owned(), id: id("/w"), expires_at: 2, issued_at: 1, hint: String::new() };
    assert_eq!(
        printed(&MintJwtsvidResponse { svid: Some(svid) }),
        concat!(
            r#"{"svid":{"expires_at":"2","hint":"","id":{"path":"/w","trust_domain":"example.org"},"#,
            r#""issued_at":"1","token":"t"}}"#,
            "\n"
        )
    );
}

#[test]
fn nothing_is_an_empty_object() {
    assert_eq!(printed(&()), "{}\n");
}

#[test]
fn workload_answers_have_their_maps() {
    let answer = workload::X509svidResponse {
        svids: vec![workload::X509svid {
            spiffe_id: "spiffe://example.org/w".to_owned(),
            x509_svid: vec![1],
            x509_svid_key: vec![2],
            bundle: vec![3],
            hint: "external".to_owned(),
        }],
        crl: vec![],
        federated_bundles: BTreeMap::from([("spiffe://b".to_owned(), vec![4])]),
    };
    assert_eq!(
        printed(&answer),
        concat!(
            r#"{"crl":[],"federated_bundles":{"spiffe://b":"BA=="},"svids":[{"bundle":"Aw==","hint":"external","#,
            r#""spiffe_id":"spiffe://example.org/w","x509_svid":"AQ==","x509_svid_key":"Ag=="}]}"#,
            "\n"
        )
    );
}

#[test]
fn claims_keep_whole_numbers_whole() {
    use prost_types::value::Kind;
    let value = |kind| prost_types::Value { kind: Some(kind) };
    let list = prost_types::ListValue { values: vec![value(Kind::StringValue("a".to_owned()))] };
    let claims = prost_types::Struct {
        fields: BTreeMap::from([
            ("aud".to_owned(), value(Kind::ListValue(list))),
            ("exp".to_owned(), value(Kind::NumberValue(1_700_000_000.0))),
            ("part".to_owned(), value(Kind::NumberValue(1.5))),
            ("yes".to_owned(), value(Kind::BoolValue(true))),
        ]),
    };
    let answer = workload::ValidateJwtsvidResponse {
        spiffe_id: "spiffe://example.org/w".to_owned(),
        claims: Some(claims),
    };
    assert_eq!(
        printed(&answer),
        concat!(
            r#"{"claims":{"aud":["a"],"exp":1700000000,"part":1.5,"yes":true},"#,
            r#""spiffe_id":"spiffe://example.org/w"}"#,
            "\n"
        )
    );
}

use proto::spire::api::server::trustdomain::v1::{
    BatchCreateFederationRelationshipRequest, BatchCreateFederationRelationshipResponse,
    BatchDeleteFederationRelationshipResponse, ListFederationRelationshipsResponse, RefreshBundleRequest,
    batch_create_federation_relationship_response, batch_delete_federation_relationship_response,
};
use proto::spire::api::types::federation_relationship::BundleEndpointProfile;
use proto::spire::api::types::{
    FederationRelationship, HttpsWebProfile, HttpsspiffeProfile, Status as Result_,
};
use tonic::Status;

use super::fake::Fake;

const CREATE: &str = "/spire.api.server.trustdomain.v1.TrustDomain/BatchCreateFederationRelationship";
const DELETE: &str = "/spire.api.server.trustdomain.v1.TrustDomain/BatchDeleteFederationRelationship";
const LIST: &str = "/spire.api.server.trustdomain.v1.TrustDomain/ListFederationRelationships";
const GET: &str = "/spire.api.server.trustdomain.v1.TrustDomain/GetFederationRelationship";
const REFRESH: &str = "/spire.api.server.trustdomain.v1.TrustDomain/RefreshBundle";

const URL: &str = "https://other.test/bundle";

fn relationship(profile: BundleEndpointProfile) -> FederationRelationship {
    FederationRelationship {
        trust_domain: "other.test".to_owned(),
        bundle_endpoint_url: URL.to_owned(),
        bundle_endpoint_profile: Some(profile),
        trust_domain_bundle: None,
    }
}

fn web() -> FederationRelationship {
    relationship(BundleEndpointProfile::HttpsWeb(HttpsWebProfile {}))
}

fn spiffe() -> FederationRelationship {
    let endpoint_spiffe_id = "spiffe://other.test/endpoint".to_owned();
    relationship(BundleEndpointProfile::HttpsSpiffe(HttpsspiffeProfile { endpoint_spiffe_id }))
}

fn status(code: i32, message: &str) -> Option<Result_> {
    Some(Result_ { code, message: message.to_owned() })
}

fn created(
    code: i32,
    message: &str,
    made: Option<FederationRelationship>,
) -> BatchCreateFederationRelationshipResponse {
    let result = batch_create_federation_relationship_response::Result {
        status: status(code, message),
        federation_relationship: made,
    };
    BatchCreateFederationRelationshipResponse { results: vec![result] }
}

const BY_FLAGS: [&str; 10] = [
    "federation",
    "create",
    "-trustDomain",
    "other.test",
    "-bundleEndpointURL",
    URL,
    "-bundleEndpointProfile",
    "https_spiffe",
    "-endpointSpiffeID",
    "spiffe://other.test/endpoint",
];

#[test]
fn a_relationship_is_created_from_flags() {
    let fake = Fake::start().answer(CREATE, &created(0, "OK", Some(spiffe())));
    let said = fake.server(&BY_FLAGS);
    assert_eq!(
        said.out,
        "\nTrust domain              : other.test\nBundle endpoint URL       : https://other.test/bundle\n\
         Bundle endpoint profile   : https_spiffe\nEndpoint SPIFFE ID        : spiffe://other.test/endpoint\n"
    );
    assert_eq!((said.err.as_str(), said.code), ("", 0));
    let asked = fake.asked::<BatchCreateFederationRelationshipRequest>(CREATE);
    assert_eq!(asked[0].federation_relationships, [spiffe()]);
}

#[test]
fn a_refused_relationship_is_shown_as_it_was_asked_for() {
    let fake = Fake::start().answer(CREATE, &created(6, "it is there already", None));
    let said = fake.server(&BY_FLAGS);
    assert_eq!((said.out.as_str(), said.code), ("\n", 1));
    assert_eq!(
        said.err,
        "Failed to create the following federation relationship (code: AlreadyExists, msg: \"it is there already\"):\n\
         Trust domain              : other.test\nBundle endpoint URL       : https://other.test/bundle\n\
         Bundle endpoint profile   : https_spiffe\nEndpoint SPIFFE ID        : spiffe://other.test/endpoint\n\
         Error: failed to create one or more federation relationships\n"
    );
}

#[test]
fn relationships_come_from_the_standard_input_or_from_flags_not_both() {
    let fake = Fake::start().answer(CREATE, &created(0, "OK", Some(web())));
    let document = format!(
        "{{\"federationRelationships\": [{{\"trustDomain\": \"other.test\", \"bundleEndpointURL\": \"{URL}\", \
         \"bundleEndpointProfile\": \"https_web\"}}]}}"
    );
    let said = fake.server_with_input(&["federation", "create", "-data", "-"], &document);
    assert_eq!((said.err.as_str(), said.code), ("", 0));
    assert_eq!(
        fake.asked::<BatchCreateFederationRelationshipRequest>(CREATE)[0].federation_relationships,
        [web()]
    );
    let both = fake.server(&["federation", "create", "-data", "x", "-trustDomain", "other.test"]);
    assert!(both.err.contains("cannot use other flags"), "{}", both.err);
}

#[test]
fn flags_that_are_missing_are_named() {
    let fake = Fake::start();
    for (line, told) in [
        (&["federation", "create"][..], "trust domain is required"),
        (&["federation", "create", "-trustDomain", "a.test"], "bundle endpoint URL is required"),
        (
            &["federation", "create", "-trustDomain", "a.test", "-bundleEndpointURL", "https://a.test"],
            "unknown bundle endpoint profile type: \"\"",
        ),
        (&["federation", "delete"], "id is required"),
        (&["federation", "refresh"], "id is required"),
        (&["federation", "show"], "a trust domain name is required"),
    ] {
        let said = fake.server(line);
        assert!(said.code == 1 && said.err.contains(told), "{line:?}: {}", said.err);
    }
}

#[test]
fn lists_and_single_relationships_are_printed() {
    let list = ListFederationRelationshipsResponse {
        federation_relationships: vec![web()],
        next_page_token: String::new(),
    };
    let fake = Fake::start().answer(LIST, &list).answer(GET, &web());
    let block = "Trust domain              : other.test\nBundle endpoint URL       : https://other.test/bundle\n\
                 Bundle endpoint profile   : https_web\n";
    let said = fake.server(&["federation", "list"]);
    assert_eq!(said.out, format!("Found 1 federation relationship\n\n{block}"));
    let said = fake.server(&["federation", "show", "-trustDomain", "other.test"]);
    assert_eq!(said.out, format!("Found a federation relationship with trust domain other.test:\n\n{block}"));
    let said = fake.server(&["federation", "show", "-trustDomain", "other.test", "-output", "json"]);
    assert_eq!(
        said.out,
        "{\"bundle_endpoint_url\":\"https://other.test/bundle\",\"https_web\":{},\"trust_domain\":\"other.test\"}\n"
    );
}

#[test]
fn deletion_and_refresh_say_how_they_ended() {
    let deleted = |code, message: &str| BatchDeleteFederationRelationshipResponse {
        results: vec![batch_delete_federation_relationship_response::Result {
            status: status(code, message),
            trust_domain: "other.test".to_owned(),
        }],
    };
    let fake = Fake::start()
        .answer(DELETE, &deleted(0, "OK"))
        .answer(DELETE, &deleted(5, "there is none"))
        .answer(REFRESH, &())
        .refuse(REFRESH, Status::not_found("no relationship"));
    let delete = ["federation", "delete", "-id", "other.test"];
    assert_eq!(fake.server(&delete).out, "federation relationship deleted.\n");
    let again = fake.server(&delete);
    assert_eq!(again.err, "Error: failed to delete federation relationship \"other.test\": there is none\n");
    let refresh = ["federation", "refresh", "-id", "other.test"];
    assert_eq!(fake.server(&refresh).out, "Bundle refreshed\n");
    let again = fake.server(&refresh);
    assert_eq!(again.err, "Error: there is no federation relationship with trust domain \"other.test\"\n");
    assert_eq!(fake.asked::<RefreshBundleRequest>(REFRESH)[0].trust_domain, "other.test");
}

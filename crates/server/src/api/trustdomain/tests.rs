use proto::spire::api::types::federation_relationship::BundleEndpointProfile as Profile;
use proto::spire::api::types::{FederationRelationship, FederationRelationshipMask};
use store::sqlite::{Options, SqliteLog};
use wire::trust_domain_server::TrustDomain as _;

use super::*;

async fn api() -> TrustDomainApi {
    let log = Arc::new(SqliteLog::open(":memory:", Options::default()).await.unwrap());
    let registry = Registry::open(log, Vec::new()).await.unwrap();
    TrustDomainApi::new(TrustDomain::parse("example.org").unwrap(), registry)
}

fn web(td: &str) -> FederationRelationship {
    FederationRelationship {
        trust_domain: td.into(),
        bundle_endpoint_url: format!("https://{td}/bundle"),
        bundle_endpoint_profile: Some(Profile::HttpsWeb(types::HttpsWebProfile {})),
        trust_domain_bundle: None,
    }
}

fn with_bundle(td: &str, sequence_number: u64) -> FederationRelationship {
    let bundle = types::Bundle { trust_domain: td.into(), sequence_number, ..Default::default() };
    FederationRelationship { trust_domain_bundle: Some(bundle), ..web(td) }
}

async fn create(api: &TrustDomainApi, all: Vec<FederationRelationship>) -> Vec<(Code, String)> {
    let request =
        wire::BatchCreateFederationRelationshipRequest { federation_relationships: all, output_mask: None };
    let answer = api.batch_create_federation_relationship(Request::new(request)).await.unwrap().into_inner();
    answer.results.into_iter().map(|r| r.status.unwrap()).map(|s| (s.code.into(), s.message)).collect()
}

async fn update(
    api: &TrustDomainApi,
    one: FederationRelationship,
    input_mask: Option<FederationRelationshipMask>,
) -> Result<FederationRelationship, (Code, String)> {
    let request = wire::BatchUpdateFederationRelationshipRequest {
        federation_relationships: vec![one],
        input_mask,
        output_mask: None,
    };
    let answer = api.batch_update_federation_relationship(Request::new(request)).await.unwrap().into_inner();
    let result = answer.results.into_iter().next().unwrap();
    let status = result.status.unwrap();
    result.federation_relationship.ok_or((status.code.into(), status.message))
}

async fn list(api: &TrustDomainApi, page_size: i32, token: &str) -> (Vec<String>, String) {
    let request =
        wire::ListFederationRelationshipsRequest { output_mask: None, page_size, page_token: token.into() };
    let answer = api.list_federation_relationships(Request::new(request)).await.unwrap().into_inner();
    (answer.federation_relationships.into_iter().map(|r| r.trust_domain).collect(), answer.next_page_token)
}

#[tokio::test]
async fn creating_answers_each_relationship_by_itself() {
    let api = api().await;
    let no_profile = FederationRelationship { bundle_endpoint_profile: None, ..web("c.org") };
    let plain = FederationRelationship { bundle_endpoint_url: "http://d.org".into(), ..web("d.org") };
    let other = FederationRelationship { trust_domain: "e.org".into(), ..with_bundle("f.org", 1) };
    let all = vec![
        web("b.org"),
        web("a.org"),
        web("b.org"),
        web("example.org"),
        web("No"),
        no_profile,
        plain,
        other,
    ];
    let answers = create(&api, all).await;
    use Code::{AlreadyExists, InvalidArgument, Ok};
    let wrong =
        |cause: &str| (InvalidArgument, format!("failed to convert federation relationship: {cause}"));
    assert_eq!(answers[0], (Ok, "OK".into()));
    assert_eq!(answers[1], (Ok, "OK".into()));
    assert_eq!(answers[2].0, AlreadyExists);
    let own = "unable to create federation relationship for server trust domain";
    assert_eq!(answers[3], (InvalidArgument, own.into()));
    assert!(answers[4].1.contains("failed to parse trust domain: "), "{}", answers[4].1);
    assert!(answers[5].1.contains("unsupported bundle endpoint profile type"), "{}", answers[5].1);
    assert_eq!(answers[6], wrong("bundle endpoint URL must use the https scheme"));
    let mismatch = "trust domain bundle (\"f.org\") must match the trust domain of the federation relationship (\"e.org\")";
    assert_eq!(answers[7], wrong(mismatch));
    assert_eq!(list(&api, 0, "").await.0, ["b.org", "a.org"], "in order of creation");
}

#[tokio::test]
async fn a_bundle_that_comes_along_is_stored_and_shown() {
    let api = api().await;
    create(&api, vec![with_bundle("a.org", 5)]).await;
    let get = |mask| {
        let request =
            wire::GetFederationRelationshipRequest { trust_domain: "a.org".into(), output_mask: mask };
        api.get_federation_relationship(Request::new(request))
    };
    let whole = get(None).await.unwrap().into_inner();
    assert_eq!(whole, with_bundle("a.org", 5));
    let url = FederationRelationshipMask { bundle_endpoint_url: true, ..Default::default() };
    let part = get(Some(url)).await.unwrap().into_inner();
    let expected = FederationRelationship { bundle_endpoint_profile: None, ..web("a.org") };
    assert_eq!(part, expected);
}

#[tokio::test]
async fn an_update_touches_what_its_mask_names() {
    let api = api().await;
    let missing = update(&api, web("a.org"), None).await.unwrap_err();
    assert_eq!(missing.0, Code::NotFound);
    create(&api, vec![with_bundle("a.org", 5)]).await;
    let endpoint = types::HttpsspiffeProfile { endpoint_spiffe_id: "spiffe://a.org/endpoint".into() };
    let new = FederationRelationship {
        bundle_endpoint_url: "https://new.org".into(),
        bundle_endpoint_profile: Some(Profile::HttpsSpiffe(endpoint)),
        ..with_bundle("a.org", 6)
    };
    let url = FederationRelationshipMask { bundle_endpoint_url: true, ..Default::default() };
    let part = update(&api, new.clone(), Some(url)).await.unwrap();
    let expected = FederationRelationship {
        bundle_endpoint_url: new.bundle_endpoint_url.clone(),
        ..with_bundle("a.org", 5)
    };
    assert_eq!(part, expected);
    assert_eq!(update(&api, new.clone(), None).await.unwrap(), new);
    // Without a bundle the stored one stays.
    let without = FederationRelationship { trust_domain_bundle: None, ..new.clone() };
    assert_eq!(update(&api, without, None).await.unwrap(), new);
}

#[tokio::test]
async fn deletion_answers_each_trust_domain_by_itself_and_leaves_the_bundle() {
    let api = api().await;
    create(&api, vec![with_bundle("a.org", 5)]).await;
    let trust_domains = ["spiffe://a.org", "b.org", "", "No"].map(str::to_owned).to_vec();
    let request = wire::BatchDeleteFederationRelationshipRequest { trust_domains };
    let answer = api.batch_delete_federation_relationship(Request::new(request)).await.unwrap().into_inner();
    let results: Vec<_> =
        answer.results.into_iter().map(|r| (r.trust_domain, r.status.unwrap().message)).collect();
    assert_eq!(results[0], ("a.org".into(), "OK".into()));
    assert_eq!(results[1], ("b.org".into(), "federation relationship not found".into()));
    assert_eq!(results[2], (String::new(), "missing trust domain".into()));
    assert!(results[3].1.starts_with("failed to parse trust domain: "), "{}", results[3].1);
    assert!(api.registry.snapshot().bundle(&TrustDomain::parse("a.org").unwrap()).is_some());
    assert!(list(&api, 0, "").await.0.is_empty());
}

#[tokio::test]
async fn lists_come_in_pages() {
    let api = api().await;
    create(&api, ["c.org", "a.org", "b.org"].map(web).to_vec()).await;
    let (first, token) = list(&api, 2, "").await;
    assert_eq!(first, ["c.org", "a.org"]);
    let (second, token) = list(&api, 2, &token).await;
    assert_eq!(second, ["b.org"]);
    assert_eq!(list(&api, 2, &token).await, (vec![], String::new()));
    let nonsense =
        wire::ListFederationRelationshipsRequest { page_size: 1, page_token: "x".into(), output_mask: None };
    let refused = api.list_federation_relationships(Request::new(nonsense)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_refresh_says_what_it_cannot_do() {
    let api = api().await;
    create(&api, vec![web("a.org")]).await;
    let refresh =
        |td: &str| api.refresh_bundle(Request::new(wire::RefreshBundleRequest { trust_domain: td.into() }));
    let unknown = refresh("b.org").await.unwrap_err();
    assert_eq!(
        (unknown.code(), unknown.message()),
        (Code::NotFound, "no relationship with trust domain \"b.org\"")
    );
    assert_eq!(refresh("a.org").await.unwrap_err().code(), Code::Unimplemented);
    assert_eq!(refresh("No").await.unwrap_err().code(), Code::InvalidArgument);
}

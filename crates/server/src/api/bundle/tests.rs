use proto::spire::api::types::BundleMask;
use spiffe::key::{KeyType, PrivateKey, Signer};
use spiffe::x509::{CaSubject, CaTemplate};
use std::time::{Duration, SystemTime};
use wire::bundle_server::Bundle as _;

use super::*;
use crate::authz::Standing;
use crate::testing::MemoryLog;

fn td(name: &str) -> TrustDomain {
    TrustDomain::parse(name).unwrap()
}

async fn api() -> BundleApi {
    let registry = Registry::open(Arc::new(MemoryLog::default()), Vec::new()).await.unwrap();
    BundleApi::new(td("example.org"), registry, None)
}

fn certificate(name: &str) -> types::X509Certificate {
    let key = PrivateKey::generate(KeyType::EcP256).unwrap();
    let subject = CaSubject { country: vec![], organization: vec![], common_name: "ca".into() };
    let now = SystemTime::now();
    let ca =
        CaTemplate::new(td(name), subject, now, now + Duration::from_secs(3600)).self_sign(&key).unwrap();
    types::X509Certificate { asn1: ca.der().to_vec(), tainted: true }
}

fn jwt_key(kid: &str) -> types::JwtKey {
    let key = PrivateKey::generate(KeyType::EcP256).unwrap();
    let public_key = key.public().spki_der().to_vec();
    types::JwtKey { public_key, key_id: kid.into(), expires_at: 4_000_000_000, tainted: true }
}

fn wit_key(kid: &str) -> types::WitKey {
    let types::JwtKey { public_key, key_id, expires_at, tainted } = jwt_key(kid);
    types::WitKey { public_key, key_id, expires_at, tainted }
}

fn bundle(name: &str) -> types::Bundle {
    types::Bundle {
        trust_domain: name.into(),
        x509_authorities: vec![certificate("other.org")],
        jwt_authorities: vec![jwt_key("k")],
        refresh_hint: 60,
        sequence_number: 7,
        wit_authorities: vec![wit_key("w")],
    }
}

async fn create(api: &BundleApi, bundles: Vec<types::Bundle>) -> Vec<(i32, String)> {
    let request = wire::BatchCreateFederatedBundleRequest { bundle: bundles, output_mask: None };
    let answer = api.batch_create_federated_bundle(Request::new(request)).await.unwrap().into_inner();
    answer.results.into_iter().map(|r| r.status.unwrap()).map(|s| (s.code, s.message)).collect()
}

async fn list(api: &BundleApi, page_size: i32, page_token: &str) -> (Vec<String>, String) {
    let request =
        wire::ListFederatedBundlesRequest { output_mask: None, page_size, page_token: page_token.into() };
    let answer = api.list_federated_bundles(Request::new(request)).await.unwrap().into_inner();
    (answer.bundles.into_iter().map(|b| b.trust_domain).collect(), answer.next_page_token)
}

#[tokio::test]
async fn a_bundle_that_is_missing_is_not_found() {
    let api = api().await;
    let error = api.get_bundle(Request::new(wire::GetBundleRequest::default())).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::NotFound, "bundle not found"));
}

#[tokio::test]
async fn appending_adds_what_is_new_and_counts_the_sequence() {
    let api = api().await;
    let append = |x509: Vec<types::X509Certificate>, jwt: Vec<types::JwtKey>| {
        let request =
            wire::AppendBundleRequest { x509_authorities: x509, jwt_authorities: jwt, ..Default::default() };
        api.append_bundle(Request::new(request))
    };
    let empty = append(vec![], vec![]).await.unwrap_err();
    assert_eq!((empty.code(), empty.message()), (Code::InvalidArgument, "no authorities to append"));
    let nameless = append(vec![], vec![jwt_key("")]).await.unwrap_err();
    assert_eq!(nameless.message(), "failed to convert JWT authority: missing key ID");
    let nonsense = types::X509Certificate { asn1: b"x".to_vec(), tainted: false };
    let nonsense = append(vec![nonsense], vec![]).await.unwrap_err();
    assert!(nonsense.message().starts_with("failed to convert X.509 authority: "), "{nonsense}");

    let (ca, key) = (certificate("example.org"), jwt_key("k"));
    let first = append(vec![ca.clone()], vec![key.clone()]).await.unwrap().into_inner();
    assert_eq!((first.sequence_number, first.x509_authorities.len(), first.jwt_authorities.len()), (0, 1, 1));
    assert!(
        !first.x509_authorities[0].tainted && !first.jwt_authorities[0].tainted,
        "a request does not taint"
    );
    let same = append(vec![ca], vec![key]).await.unwrap().into_inner();
    assert_eq!(same, first);
    let more = append(vec![certificate("example.org")], vec![]).await.unwrap().into_inner();
    assert_eq!((more.sequence_number, more.x509_authorities.len()), (1, 2));
}

#[tokio::test]
async fn creating_answers_each_bundle_by_itself() {
    let api = api().await;
    let mut broken = bundle("broken.org");
    broken.jwt_authorities[0].public_key = b"x".to_vec();
    let answers =
        create(&api, vec![bundle("a.org"), bundle("a.org"), bundle("example.org"), bundle("No"), broken])
            .await;
    let codes: Vec<_> = answers.iter().map(|(code, _)| Code::from(*code)).collect();
    use Code::{AlreadyExists, InvalidArgument, Ok};
    assert_eq!(codes, [Ok, AlreadyExists, InvalidArgument, InvalidArgument, InvalidArgument]);
    assert_eq!(answers[0].1, "OK");
    assert_eq!(answers[1].1, "bundle already exists");
    assert_eq!(answers[2].1, "creating a federated bundle for the server's own trust domain is not allowed");
    assert!(answers[3].1.starts_with("trust domain argument is not valid: "), "{}", answers[3].1);
    assert!(
        answers[4].1.starts_with("failed to convert bundle: unable to parse JWT authority: "),
        "{}",
        answers[4].1
    );
}

#[tokio::test]
async fn one_key_id_is_not_for_jwt_and_wit_svids() {
    let mut twice = bundle("a.org");
    twice.wit_authorities = vec![wit_key("k")];
    let nameless = types::Bundle { wit_authorities: vec![wit_key("")], ..bundle("b.org") };
    let answers = create(&api().await, vec![twice, nameless]).await;
    assert!(answers[0].1.contains("\"k\""), "{}", answers[0].1);
    assert_eq!(answers[1].1, "failed to convert bundle: unable to parse WIT authority: missing key ID");
}

#[tokio::test]
async fn a_federated_bundle_reads_back_through_its_mask() {
    let api = api().await;
    create(&api, vec![bundle("a.org")]).await;
    let get = |td: &str, mask| {
        let request = wire::GetFederatedBundleRequest { trust_domain: td.into(), output_mask: mask };
        api.get_federated_bundle(Request::new(request))
    };
    let whole = get("spiffe://a.org", None).await.unwrap().into_inner();
    assert_eq!((whole.sequence_number, whole.refresh_hint, whole.jwt_authorities.len()), (7, 60, 1));
    let keys: Vec<_> = whole.wit_authorities.iter().map(|a| (a.key_id.as_str(), a.expires_at)).collect();
    assert_eq!(keys, [("w", 4_000_000_000)]);
    let none = get("a.org", Some(BundleMask::default())).await.unwrap().into_inner();
    assert_eq!(none, types::Bundle { trust_domain: "a.org".into(), ..Default::default() });
    assert_eq!(get("b.org", None).await.unwrap_err().code(), Code::NotFound);
    let own = get("example.org", None).await.unwrap_err();
    assert_eq!(own.message(), "getting a federated bundle for the server's own trust domain is not allowed");
}

#[tokio::test]
async fn an_update_touches_what_its_mask_names() {
    let api = api().await;
    let update = |bundle, mask| {
        let request = wire::BatchUpdateFederatedBundleRequest {
            bundle: vec![bundle],
            input_mask: mask,
            output_mask: None,
        };
        api.batch_update_federated_bundle(Request::new(request))
    };
    let missing = update(bundle("a.org"), None).await.unwrap().into_inner().results.remove(0);
    assert_eq!(missing.status.unwrap().message, "bundle not found");
    create(&api, vec![bundle("a.org")]).await;
    let next =
        types::Bundle { refresh_hint: 5, sequence_number: 9, jwt_authorities: vec![], ..bundle("a.org") };
    let mask = BundleMask { refresh_hint: true, ..Default::default() };
    let part = update(next.clone(), Some(mask)).await.unwrap().into_inner().results.remove(0).bundle.unwrap();
    assert_eq!((part.refresh_hint, part.sequence_number, part.jwt_authorities.len()), (5, 7, 1));
    let whole = update(next, None).await.unwrap().into_inner().results.remove(0).bundle.unwrap();
    assert_eq!((whole.refresh_hint, whole.sequence_number, whole.jwt_authorities.len()), (5, 9, 0));
}

#[tokio::test]
async fn setting_creates_or_replaces() {
    let api = api().await;
    for sequence_number in [1, 2] {
        let next = types::Bundle { sequence_number, ..bundle("a.org") };
        let request = wire::BatchSetFederatedBundleRequest { bundle: vec![next], output_mask: None };
        let answer = api.batch_set_federated_bundle(Request::new(request)).await.unwrap().into_inner();
        assert_eq!(answer.results[0].bundle.as_ref().unwrap().sequence_number, sequence_number);
    }
    assert_eq!(list(&api, 0, "").await.0, ["a.org"]);
}

#[tokio::test]
async fn lists_come_in_pages_without_the_own_bundle_while_counts_have_it() {
    let api = api().await;
    create(&api, ["a.org", "b.org", "z.org"].map(bundle).to_vec()).await;
    let own = wire::AppendBundleRequest { jwt_authorities: vec![jwt_key("k")], ..Default::default() };
    api.append_bundle(Request::new(own)).await.unwrap();
    assert_eq!(
        list(&api, 0, "").await,
        (vec!["a.org".into(), "b.org".into(), "z.org".into()], String::new())
    );
    let (first, token) = list(&api, 2, "").await;
    assert_eq!(first, ["a.org", "b.org"]);
    let (second, token) = list(&api, 2, &token).await;
    assert_eq!(second, ["z.org"]);
    assert_eq!(list(&api, 2, &token).await, (vec![], String::new()));
    let count =
        api.count_bundles(Request::new(wire::CountBundlesRequest {})).await.unwrap().into_inner().count;
    assert_eq!(count, 4);
}

#[tokio::test]
async fn deletion_answers_each_trust_domain_by_itself() {
    let api = api().await;
    create(&api, vec![bundle("a.org")]).await;
    let delete = |mode: i32| {
        let trust_domains = ["a.org", "b.org", "example.org"].map(str::to_owned).to_vec();
        api.batch_delete_federated_bundle(Request::new(wire::BatchDeleteFederatedBundleRequest {
            trust_domains,
            mode,
        }))
    };
    let unknown = delete(9).await.unwrap_err();
    assert_eq!(unknown.message(), "failed to parse deletion mode: unhandled delete mode \"9\"");
    let answers = delete(Mode::Restrict.into()).await.unwrap().into_inner().results;
    let messages: Vec<_> = answers.into_iter().map(|r| (r.trust_domain, r.status.unwrap().message)).collect();
    assert_eq!(messages[0], ("a.org".into(), "OK".into()));
    assert_eq!(messages[1], ("b.org".into(), "bundle not found".into()));
    assert_eq!(messages[2].1, "removing the bundle for the server trust domain is not allowed");
}

#[tokio::test]
async fn only_a_downstream_server_publishes_a_jwt_authority() {
    let api = api().await;
    let mut request = Request::new(wire::PublishJwtAuthorityRequest { jwt_authority: Some(jwt_key("k")) });
    request.extensions_mut().insert(Caller::unchecked(Standing::Nobody));
    assert_eq!(api.publish_jwt_authority(request).await.unwrap_err().code(), Code::PermissionDenied);
}

use std::num::NonZeroUsize;

use model::{AdditionalAttributes, Entry, EntryId, UnixTime};
use spiffe::jwt::JwtSvid;

use super::*;
use crate::authz::{AdminGrant, DownstreamGrant, EntryGrant};
use crate::signing::Class;

fn entry(ttl: i32) -> Entry {
    Entry {
        id: EntryId::parse("e").unwrap(),
        ord: 1,
        spiffe_id: SpiffeId::new(&td(), "/web").unwrap(),
        parent_id: SpiffeId::new(&td(), "/spire/agent/one").unwrap(),
        selectors: Selectors::default(),
        x509_svid_ttl: ttl,
        jwt_svid_ttl: ttl,
        federates_with: Vec::new(),
        admin: false,
        downstream: false,
        expires_at: None,
        dns_names: vec!["web.example.org".into(), "www.example.org".into()],
        revision: 0,
        store_svid: false,
        hint: String::new(),
        created_at: UnixTime(0),
        additional: None,
    }
}

fn grant(entry: Entry) -> EntryGrant {
    EntryGrant::unchecked(Arc::new(entry))
}

fn parsed(issued: IssuedX509) -> X509Svid {
    X509Svid::parse_chain(issued.into_chain()).unwrap()
}

async fn one(server: &Server, ttl: i32) -> IssuedX509 {
    let batch = vec![NewX509 { grant: grant(entry(ttl)), csr: csr() }];
    server.authorities.sign_x509_batch(Class::Waiting, batch).await.unwrap().pop().unwrap().unwrap()
}

#[tokio::test]
async fn a_workloads_svid_is_of_its_entry_and_begins_ten_seconds_ago() {
    let world = World::new();
    let server = world.boot().await;
    let issued = one(&server, 0).await;
    let expires_at = issued.expires_at();
    let svid = parsed(issued);
    assert_eq!(svid.id().as_str(), "spiffe://example.org/web");
    assert_eq!(svid.leaf().dns_names(), ["web.example.org", "www.example.org"]);
    assert_eq!(svid.leaf().common_name(), Some("web.example.org"));
    assert_eq!(svid.leaf().not_before(), world.clock.now() - Duration::from_secs(10));
    assert_eq!(svid.leaf().not_after(), world.clock.now() + HOUR);
    assert_eq!(svid.leaf().not_after(), expires_at);
    assert_eq!(
        parsed(one(&server, 90).await).leaf().not_after(),
        world.clock.now() + Duration::from_secs(90)
    );
}

#[tokio::test]
async fn unique_subjects_are_those_of_workloads_and_of_nothing_else() {
    let settings = AuthoritySettings { workload_subjects: WorkloadSubjects::Unique, ..Default::default() };
    let world = World::with(settings);
    let server = world.boot().await;
    // Half of the SHA-256 of spiffe://example.org/web, as PrintableString.
    let unique = "CN=web.example.org,O=SPIRE,C=US,2.5.4.45=#1320";
    let subject = parsed(one(&server, 0).await).leaf().subject_name();
    assert!(subject.to_string().starts_with(unique), "{subject}");
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"spiffe://example.org/web");
    let half: String = hash.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(subject.other[0].1[2..], *half.as_bytes());

    let grant = AdminGrant::unchecked();
    let asked = server.authorities.read_csr(&grant, csr()).await.unwrap();
    let id = SpiffeId::new(&td(), "/minted").unwrap();
    let order = MintX509 { csr: asked, id, dns_names: Vec::new(), ttl: None };
    let minted = parsed(server.authorities.mint_x509(&grant, order).await.unwrap());
    assert_eq!(minted.leaf().subject_name().other.len(), 1);
    assert_ne!(minted.leaf().subject_name().other, subject.other);

    assert!(server.agent_svid(&world).await.leaf().subject_name().other.is_empty());
    let own = server.authorities.server_identity().get().unwrap();
    assert!(own.svid().leaf().subject_name().other.is_empty());
    let (ca, downstream) =
        (server.bundle(), DownstreamGrant::unchecked(SpiffeId::new(&td(), "/spire/server").unwrap()));
    assert!(ca.x509_authorities()[0].certificate.subject_name().other.is_empty());
    let below = server.authorities.sign_downstream_ca(&downstream, csr(), None).await.unwrap();
    assert!(below[0].subject_name().other.is_empty());
}

#[tokio::test]
async fn no_svid_outlives_its_authority() {
    let world = World::new();
    let server = world.boot().await;
    let end = server.x509(Stage::Active).unwrap().expires_at;
    assert_eq!(parsed(one(&server, i32::MAX).await).leaf().not_after(), end);
    let jwt = server.authorities.sign_jwt(&grant(entry(i32::MAX)), vec!["a".into()]).await.unwrap();
    assert_eq!(jwt.expires_at, server.jwt(Stage::Active).unwrap().expires_at);
}

#[tokio::test]
async fn a_batch_answers_each_item_in_order() {
    let world = World::new();
    let server = world.boot().await;
    let mut batch: Vec<_> = (0..50).map(|_| NewX509 { grant: grant(entry(0)), csr: csr() }).collect();
    batch[7].csr = b"nonsense".to_vec();
    let last = batch[8].csr.len() - 1;
    batch[8].csr[last] ^= 1;
    let answers = server.authorities.sign_x509_batch(Class::Renewal, batch).await.unwrap();
    assert!(matches!(answers[7], Err(SignError::MalformedCsr(_))), "{:?}", answers[7]);
    assert!(matches!(answers[8], Err(SignError::CsrSignature(_))), "{:?}", answers[8]);
    assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 48);
}

#[tokio::test]
async fn a_full_queue_refuses_with_a_time_to_come_back() {
    let pool = SigningPool::with(NonZeroUsize::MIN, 8).unwrap();
    let world = World { pool, ..World::new() };
    let server = world.boot().await;
    let batch = |n| (0..n).map(|_| NewX509 { grant: grant(entry(0)), csr: csr() }).collect::<Vec<_>>();
    let batches: Vec<_> = (0..20).map(|_| batch(4)).collect();
    let calls = batches.into_iter().map(|b| server.authorities.sign_x509_batch(Class::Prefetch, b));
    let answers = futures_util::future::join_all(calls).await;
    let refused =
        answers.into_iter().find_map(Result::err).expect("twenty batches of four do not fit into eight");
    let status = tonic::Status::from(refused);
    assert_eq!(status.code(), tonic::Code::Unavailable);
    assert!(status.metadata().contains_key("grpc-retry-pushback-ms"));
}

#[tokio::test]
async fn a_jwt_svid_verifies_against_the_bundle_and_carries_what_its_entry_asks_for() {
    let world = World::with(AuthoritySettings {
        jwt_issuer: Some("https://i.example.org".into()),
        ..Default::default()
    });
    let server = world.boot().await;
    let plain = server.authorities.sign_jwt(&grant(entry(0)), vec!["a".into(), String::new()]).await.unwrap();
    let verified = JwtSvid::verify(&plain.token, &*server.bundle(), &["a"], world.clock.now()).unwrap();
    assert_eq!(verified.id().as_str(), "spiffe://example.org/web");
    assert_eq!(verified.expires_at(), world.clock.now() + Duration::from_secs(300));
    assert_eq!(verified.claims_json()["iss"], "https://i.example.org");
    assert!(!verified.claims_json().contains_key("jti"));

    let flags = AdditionalAttributes { jwt_svid_include_jti: true, ..AdditionalAttributes::default() };
    let flagged = grant(Entry { additional: Some(flags), ..entry(60) });
    let named = server.authorities.sign_jwt(&flagged, vec!["a".into()]).await.unwrap();
    let claims = JwtSvid::parse_unverified(&named.token).unwrap();
    assert_eq!(claims.claims_json()["jti"].as_str().map(str::len), Some(22));
    assert_eq!(claims.expires_at(), world.clock.now() + Duration::from_secs(60));
}

#[tokio::test]
async fn an_administrator_mints_what_was_ordered() {
    let world = World::new();
    let server = world.boot().await;
    let grant = AdminGrant::unchecked();
    let csr = server.authorities.read_csr(&grant, csr()).await.unwrap();
    let id = SpiffeId::new(&td(), "/minted").unwrap();
    let ttl = Some(Duration::from_secs(77));
    let order = MintX509 { csr, id: id.clone(), dns_names: Vec::new(), ttl };
    let svid = parsed(server.authorities.mint_x509(&grant, order).await.unwrap());
    assert_eq!((svid.id(), svid.leaf().not_after()), (&id, world.clock.now() + Duration::from_secs(77)));
    let order = MintJwt { id: id.clone(), audience: vec!["a".into()], ttl };
    let token = server.authorities.mint_jwt(&grant, order).await.unwrap();
    assert_eq!((token.id, token.expires_at), (id, world.clock.now() + Duration::from_secs(77)));
}

#[tokio::test]
async fn the_health_check_signs_and_says_when_it_cannot() {
    let world = World::new();
    let server = world.boot().await;
    server.authorities.check().await.unwrap();
    world.hand.forward(25 * HOUR);
    assert!(matches!(server.authorities.check().await, Err(SignError::AuthorityEnded(_))));
}

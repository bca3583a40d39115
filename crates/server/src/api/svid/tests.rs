use std::num::NonZeroUsize;
use std::time::{Duration, SystemTime};

use model::{Agent, Entry, EntryId, Expect, Selector, Selectors, Write};
use spiffe::bundle::{Bundle, X509Authority};
use spiffe::key::{KeyType, PrivateKey, Signer as _};
use spiffe::x509::{Certificate, LeafTemplate, X509Issuer, X509Svid};
use wire::svid_server::Svid as _;

use super::*;
use crate::authority::{AuthoritySettings, JwtSvids, WitSvids};
use crate::authz::{AdminGrant, DownstreamGrant, Standing};
use crate::signing::SigningPool;
use crate::testing::{MemoryKeys, MemoryLog};

const AGENT: &str = "spiffe://example.org/spire/agent/one";

struct World {
    api: SvidApi,
    agent: Caller,
}

impl World {
    async fn new() -> Self {
        Self::with(AuthoritySettings::default()).await
    }

    async fn with(settings: AuthoritySettings) -> Self {
        let (clock, _) = Clock::by_hand(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        let registry = Registry::open(Arc::new(MemoryLog::default()), Vec::new()).await.unwrap();
        let td = TrustDomain::parse("example.org").unwrap();
        let pool = SigningPool::with(NonZeroUsize::MIN, 1000).unwrap();
        let keys = Arc::new(MemoryKeys::default());
        let authorities =
            Authorities::open(td, settings, registry.clone(), keys, None, pool, clock.clone()).await.unwrap();
        let agent = Agent {
            id: SpiffeId::parse(AGENT).unwrap(),
            ord: 0,
            attestation_type: "test".into(),
            serial: "1".into(),
            expires_at: UnixTime(0),
            new_serial: String::new(),
            new_expires_at: None,
            selectors: Selectors::default(),
            can_reattest: true,
            version: String::new(),
            revision: 0,
        };
        registry.write(Write::PutAgent { agent: agent.clone(), expect: Expect::Absent }).await.unwrap();
        for (id, parent, path) in
            [("mine", AGENT, "/web"), ("other", "spiffe://example.org/elsewhere", "/db")]
        {
            registry.write(Write::CreateEntry(entry(id, parent, path))).await.unwrap();
        }
        let agent = AuthorizedAgent::unchecked(Arc::new(agent), clock.now());
        Self {
            api: SvidApi::new(authorities, registry, clock),
            agent: Caller::unchecked(Standing::Agent(agent)),
        }
    }

    fn by_agent<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.extensions_mut().insert(self.agent.clone());
        request
    }
}

fn by_admin<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(Caller::unchecked(Standing::Local(AdminGrant::unchecked())));
    request
}

fn entry(id: &str, parent: &str, path: &str) -> Entry {
    Entry {
        id: EntryId::parse(id).unwrap(),
        ord: 0,
        spiffe_id: SpiffeId::parse(&format!("spiffe://example.org{path}")).unwrap(),
        parent_id: SpiffeId::parse(parent).unwrap(),
        selectors: std::iter::once(Selector::new("unix", "uid:1").unwrap()).collect(),
        x509_svid_ttl: 0,
        jwt_svid_ttl: 0,
        federates_with: Vec::new(),
        admin: false,
        downstream: false,
        expires_at: None,
        dns_names: Vec::new(),
        revision: 0,
        store_svid: false,
        hint: String::new(),
        created_at: UnixTime(0),
        additional: None,
    }
}

fn csr(id: Option<&str>, dns: &[&str]) -> Vec<u8> {
    let key = PrivateKey::generate(KeyType::EcP256).unwrap();
    let id = id.map(|id| SpiffeId::parse(id).unwrap());
    let dns: Vec<String> = dns.iter().map(|name| (*name).to_owned()).collect();
    Csr::build(&key, id.as_ref(), &dns).unwrap()
}

#[tokio::test]
async fn a_batch_signs_what_the_agent_may_have_and_says_why_not_the_rest() {
    let world = World::new().await;
    let bare = csr(None, &[]);
    let mut forged = bare.clone();
    *forged.last_mut().unwrap() ^= 1;
    let param =
        |entry_id: &str, csr: &[u8]| wire::NewX509svidParams { entry_id: entry_id.into(), csr: csr.to_vec() };
    let params = vec![
        param("mine", &bare),
        param("", &bare),
        param("mine", &[]),
        param("other", &bare),
        param("nothing", &bare),
        param("mine", b"x"),
        param("mine", &forged),
        param("mine", &bare),
    ];
    let request = world.by_agent(wire::BatchNewX509svidRequest { params });
    let results = world.api.batch_new_x509svid(request).await.unwrap().into_inner().results;
    let told: Vec<_> = results.iter().map(|r| r.status.clone().unwrap()).collect();
    let codes: Vec<_> = told.iter().map(|s| Code::from(s.code)).collect();
    use Code::{InvalidArgument as Bad, NotFound as Gone, Ok};
    assert_eq!(codes, [Ok, Bad, Bad, Gone, Gone, Bad, Bad, Ok]);
    assert_eq!(told[1].message, "missing entry ID");
    assert_eq!(told[2].message, "missing CSR");
    assert_eq!(told[3].message, "entry not found or not authorized");
    assert!(told[5].message.starts_with("malformed CSR: "), "{}", told[5].message);
    assert!(told[6].message.starts_with("invalid CSR signature: "), "{}", told[6].message);
    let svid = results[7].svid.clone().unwrap();
    let parsed = X509Svid::parse_chain(svid.cert_chain).unwrap();
    assert_eq!((parsed.id().path(), svid.expires_at), ("/web", 1_800_000_000 + 3600));
}

#[tokio::test]
async fn an_empty_batch_and_a_stranger_are_refused() {
    let world = World::new().await;
    let empty = world.by_agent(wire::BatchNewX509svidRequest::default());
    assert_eq!(world.api.batch_new_x509svid(empty).await.unwrap_err().message(), "missing parameters");
    let operator = by_admin(wire::BatchNewX509svidRequest::default());
    assert_eq!(world.api.batch_new_x509svid(operator).await.unwrap_err().code(), Code::PermissionDenied);
    let agent = world.by_agent(wire::MintX509svidRequest::default());
    assert_eq!(world.api.mint_x509svid(agent).await.unwrap_err().code(), Code::PermissionDenied);
    let nobody = Request::new(wire::MintX509svidRequest::default());
    assert!(world.api.mint_x509svid(nobody).await.is_err());
}

#[tokio::test]
async fn a_jwt_svid_is_signed_for_an_entry_with_an_audience() {
    let world = World::new().await;
    let ask = |entry_id: &str, audience: &[&str]| {
        let audience = audience.iter().map(|a| (*a).to_owned()).collect();
        world.api.new_jwtsvid(world.by_agent(wire::NewJwtsvidRequest { entry_id: entry_id.into(), audience }))
    };
    let svid = ask("mine", &["db"]).await.unwrap().into_inner().svid.unwrap();
    assert_eq!((svid.issued_at, svid.expires_at), (1_800_000_000, 1_800_000_000 + 300));
    assert_eq!(svid.id.unwrap().path, "/web");
    assert_eq!(ask("mine", &[]).await.unwrap_err().message(), "at least one audience is required");
    let refused = ask("other", &["db"]).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::NotFound, "entry not found or not authorized"));
}

#[tokio::test]
async fn minting_checks_the_request_in_order() {
    let world = World::new().await;
    let mint = |csr: Vec<u8>| world.api.mint_x509svid(by_admin(wire::MintX509svidRequest { csr, ttl: 60 }));
    let id = Some("spiffe://example.org/minted");
    let svid = mint(csr(id, &["a.example.org"])).await.unwrap().into_inner().svid.unwrap();
    let parsed = X509Svid::parse_chain(svid.cert_chain).unwrap();
    assert_eq!(parsed.leaf().dns_names(), ["a.example.org"]);
    assert_eq!(svid.expires_at, 1_800_000_060);

    let mut forged = csr(id, &[]);
    *forged.last_mut().unwrap() ^= 1;
    for (csr, start) in [
        (Vec::new(), "missing CSR"),
        (b"x".to_vec(), "malformed CSR: "),
        (forged, "failed to verify CSR signature: "),
        (csr(None, &[]), "CSR URI SAN is required"),
        (csr(Some("spiffe://other.org/a"), &[]), "CSR URI SAN is invalid: "),
        (csr(Some("spiffe://example.org/spire/server"), &[]), "CSR URI SAN is invalid: "),
        (csr(id, &["a..b"]), "CSR DNS name is invalid: "),
        (csr(id, &["*.b.org", "a.b.org"]), "CSR DNS name contains a wildcard that covers another"),
    ] {
        let error = mint(csr).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.message().starts_with(start), "{} is not {start}", error.message());
    }
}

#[tokio::test]
async fn minting_a_jwt_takes_a_workloads_id_and_an_audience() {
    let world = World::new().await;
    let mint = |path: &str, audience: &[&str]| {
        let id = Some(types::Spiffeid { trust_domain: "example.org".into(), path: path.into() });
        let audience = audience.iter().map(|a| (*a).to_owned()).collect();
        world.api.mint_jwtsvid(by_admin(wire::MintJwtsvidRequest { id, audience, ttl: 0 }))
    };
    let svid = mint("/minted", &["a"]).await.unwrap().into_inner().svid.unwrap();
    assert_eq!(svid.expires_at, 1_800_000_300);
    assert!(mint("/spire/server", &["a"]).await.unwrap_err().message().starts_with("invalid SPIFFE ID: "));
    assert_eq!(mint("/minted", &[]).await.unwrap_err().message(), "at least one audience is required");
    let empty = mint("/minted", &[""]).await.unwrap_err();
    assert_eq!(empty.message(), "failed to sign JWT-SVID: invalid JWT-SVID audience: cannot be empty");
}

#[tokio::test]
async fn switched_off_jwt_svids_are_unimplemented() {
    let settings = AuthoritySettings { jwt_svids: JwtSvids::Disabled, ..AuthoritySettings::default() };
    let world = World::with(settings).await;
    let new = wire::NewJwtsvidRequest { entry_id: "mine".into(), audience: vec!["a".into()] };
    let refused = world.api.new_jwtsvid(world.by_agent(new)).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::Unimplemented, "JWT functionality is disabled"));
    let refused = world.api.mint_jwtsvid(by_admin(wire::MintJwtsvidRequest::default())).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::Unimplemented, "JWT functionality is disabled"));
}

fn with_wit() -> AuthoritySettings {
    let wit_svids = Some(WitSvids { key_type: KeyType::EcP256, issuer: None });
    AuthoritySettings { wit_svids, ..AuthoritySettings::default() }
}

#[tokio::test]
async fn wit_svids_are_signed_for_the_keys_that_an_agent_brings() {
    let world = World::with(with_wit()).await;
    let public = |kind| PrivateKey::generate(kind).unwrap().public().spki_der().to_vec();
    let (p256, p384) = (public(KeyType::EcP256), public(KeyType::EcP384));
    let param = |entry_id: &str, public_key: &[u8], alg: &str| wire::NewWitsvidParams {
        entry_id: entry_id.into(),
        public_key: public_key.to_vec(),
        signing_algorithm: alg.into(),
    };
    let params = vec![
        param("mine", &p256, "ES256"),
        param("", &p256, "ES256"),
        param("mine", &[], "ES256"),
        param("other", &p256, "ES256"),
        param("mine", b"x", "ES256"),
        param("mine", &p256, "ES384"),
        param("mine", &p256, "none"),
        param("mine", &p384, "ES384"),
    ];
    let request = world.by_agent(wire::BatchNewWitsvidRequest { params });
    let results = world.api.batch_new_witsvid(request).await.unwrap().into_inner().results;
    let told: Vec<_> = results.iter().map(|r| r.status.clone().unwrap()).collect();
    let codes: Vec<_> = told.iter().map(|s| Code::from(s.code)).collect();
    use Code::{InvalidArgument as Bad, NotFound as Gone, Ok};
    assert_eq!(codes, [Ok, Bad, Bad, Gone, Bad, Bad, Bad, Ok]);
    assert_eq!(told[2].message, "missing public key");
    assert_eq!(told[3].message, "entry not found or not authorized");
    assert!(told[4].message.starts_with("malformed public key: "), "{}", told[4].message);
    let unfit = "invalid signing algorithm or key type: unsupported signing algorithm for ec-p256 key: ";
    assert_eq!(told[5].message, format!("{unfit}ES384"));
    assert_eq!(told[6].message, format!("{unfit}none"));
    let svid = results[7].svid.clone().unwrap();
    let wit = spiffe::wit::Wit::parse_unverified(&svid.token).unwrap();
    assert_eq!((wit.subject().path(), svid.expires_at), ("/web", 1_800_000_000 + 3600));
    assert_eq!(wit.confirmation().key().spki_der(), p384);
}

#[tokio::test]
async fn minting_a_wit_takes_a_workloads_id_and_a_key_with_its_algorithm() {
    let world = World::with(with_wit()).await;
    let key = PrivateKey::generate(KeyType::EcP256).unwrap().public().spki_der().to_vec();
    let mint = |path: &str, public_key: &[u8], alg: &str| {
        let id = Some(types::Spiffeid { trust_domain: "example.org".into(), path: path.into() });
        let (public_key, signing_algorithm) = (public_key.to_vec(), alg.into());
        world.api.mint_witsvid(by_admin(wire::MintWitsvidRequest {
            id,
            public_key,
            ttl: 60,
            signing_algorithm,
        }))
    };
    let svid = mint("/minted", &key, "ES256").await.unwrap().into_inner().svid.unwrap();
    assert_eq!((svid.issued_at, svid.expires_at), (1_800_000_000, 1_800_000_060));
    let said = |refused: Status| (refused.code(), refused.message().to_owned());
    let (code, why) = said(mint("/spire/server", &key, "ES256").await.unwrap_err());
    assert!(code == Code::InvalidArgument && why.starts_with("invalid SPIFFE ID: "), "{why}");
    let (code, why) = said(mint("/minted", b"", "ES256").await.unwrap_err());
    assert!(code == Code::InvalidArgument && why.starts_with("invalid public key: "), "{why}");
    let (code, why) = said(mint("/minted", &key, "RS256").await.unwrap_err());
    let start = "invalid signing algorithm or key type: ";
    assert!(code == Code::InvalidArgument && why.starts_with(start), "{why}");
    let by_agent = world.by_agent(wire::MintWitsvidRequest::default());
    assert_eq!(world.api.mint_witsvid(by_agent).await.unwrap_err().code(), Code::PermissionDenied);
    let by_operator = by_admin(wire::BatchNewWitsvidRequest::default());
    assert_eq!(world.api.batch_new_witsvid(by_operator).await.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn wit_svids_are_unimplemented_unless_they_are_switched_on() {
    let world = World::new().await;
    let refused = world.api.mint_witsvid(by_admin(wire::MintWitsvidRequest::default())).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::Unimplemented, "WIT functionality is disabled"));
    let params = vec![wire::NewWitsvidParams::default()];
    let new = world.by_agent(wire::BatchNewWitsvidRequest { params });
    let refused = world.api.batch_new_witsvid(new).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::Unimplemented, "WIT functionality is disabled"));
}

#[test]
fn a_request_says_how_urgent_it_is() {
    let mut metadata = MetadataMap::new();
    assert_eq!(class_of(&metadata, Class::Renewal), Class::Renewal);
    metadata.insert(Class::METADATA, "waiting".parse().unwrap());
    assert_eq!(class_of(&metadata, Class::Renewal), Class::Waiting);
    metadata.insert(Class::METADATA, "whatever".parse().unwrap());
    assert_eq!(class_of(&metadata, Class::Renewal), Class::Renewal);
}

#[tokio::test]
async fn what_a_downstream_server_signs_verifies_against_the_bundle() {
    let world = World::new().await;
    let id = SpiffeId::parse("spiffe://example.org/downstream").unwrap();
    let by_downstream = |csr: Vec<u8>| {
        let mut request = Request::new(wire::NewDownstreamX509caRequest { csr, preferred_ttl: 600 });
        let standing = Standing::Downstream(DownstreamGrant::unchecked(id.clone()));
        request.extensions_mut().insert(Caller::unchecked(standing));
        request
    };
    let key = Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
    let request = by_downstream(Csr::build(&*key, None, &[]).unwrap());
    let answer = world.api.new_downstream_x509ca(request).await.unwrap().into_inner();
    let chain: Vec<Certificate> =
        answer.ca_cert_chain.into_iter().map(|der| Certificate::parse(der).unwrap()).collect();
    assert!(chain[0].subject().contains("DOWNSTREAM-1"), "{}", chain[0].subject());
    let mut bundle = Bundle::new(id.trust_domain());
    for der in answer.x509_authorities {
        let certificate = Certificate::parse(der).unwrap();
        bundle.push_x509(X509Authority { certificate, tainted: false }).unwrap();
    }
    let issuer = X509Issuer::new(chain[0].clone(), chain.clone(), key).unwrap();
    let leaf_key = PrivateKey::generate(KeyType::EcP256).unwrap();
    let (start, end) = (chain[0].not_before(), chain[0].not_after());
    assert!(end.duration_since(start).unwrap() <= Duration::from_secs(611));
    let leaf = LeafTemplate::new(id.clone(), leaf_key.public().clone(), start, end).issue(&issuer).unwrap();
    let svid = X509Svid::of(issuer.chain_for(leaf)).unwrap();
    assert_eq!(svid.verify(&bundle, start + Duration::from_secs(60)).unwrap().id(), &id);

    let broken = world.api.new_downstream_x509ca(by_downstream(vec![1, 2, 3])).await.unwrap_err();
    assert_eq!(broken.code(), Code::InvalidArgument);
    let mut nobody = Request::new(wire::NewDownstreamX509caRequest::default());
    nobody.extensions_mut().insert(Caller::unchecked(Standing::Nobody));
    assert_eq!(world.api.new_downstream_x509ca(nobody).await.unwrap_err().code(), Code::PermissionDenied);
}

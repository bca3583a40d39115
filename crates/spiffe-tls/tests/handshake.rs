//! Handshakes between two sides in memory: who is let in, and from when a change holds.

#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, ServerConfig, ServerConnection,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use spiffe::bundle::{Bundle, BundleSet, X509Authority};
use spiffe::key::{KeyType, PrivateKey, PublicKey, SigAlg, SignError, Signer};
use spiffe::x509::{CaSubject, CaTemplate, Certificate, LeafTemplate, UriConstraints, X509Issuer, X509Svid};
use spiffe::{SpiffeId, TrustDomain};
use spiffe_tls::{
    Authorize, BundleHandle, ClientAuth, Identity, IdentitySource, Now, client_config, peer_svid,
    server_config,
};

/// Looked at by ordinary clients only.
const NAME: &str = "server.example.org";
const HOUR: Duration = Duration::from_secs(3600);

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn clock() -> Now {
    Arc::new(now)
}

#[derive(Debug)]
struct StoppedClock;

impl rustls::time_provider::TimeProvider for StoppedClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(now().duration_since(SystemTime::UNIX_EPOCH).unwrap()))
    }
}

/// An authority of a trust domain.
struct Domain(X509Issuer);

impl Domain {
    fn new(name: &str) -> Self {
        let key = Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
        let td = TrustDomain::parse(name).unwrap();
        let ca = CaTemplate::new(td, CaSubject::default(), now() - HOUR, now() + 24 * HOUR);
        Self(X509Issuer::new(ca.self_sign(&*key).unwrap(), vec![], key).unwrap())
    }

    fn bundle(&self) -> Arc<Bundle> {
        let mut bundle = Bundle::new(self.0.trust_domain().clone());
        let authority = X509Authority { certificate: self.0.certificate().clone(), tainted: false };
        bundle.push_x509(authority).unwrap();
        Arc::new(bundle)
    }

    fn identity_on(&self, path: &str, signer: Arc<dyn Signer>) -> Identity {
        self.identity_until(path, signer, now() + HOUR)
    }

    fn identity_until(&self, path: &str, signer: Arc<dyn Signer>, until: SystemTime) -> Identity {
        let id = SpiffeId::new(self.0.trust_domain(), path).unwrap();
        let leaf = LeafTemplate::new(id, signer.public().clone(), now() - HOUR, until)
            .dns(&[NAME.to_owned()])
            .issue(&self.0)
            .unwrap();
        Identity::new(X509Svid::of(self.0.chain_for(leaf)).unwrap(), signer).unwrap()
    }

    fn identity(&self, path: &str) -> Arc<IdentitySource> {
        source(self.identity_on(path, Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap())))
    }
}

fn source(identity: Identity) -> Arc<IdentitySource> {
    let source = IdentitySource::new();
    source.set(identity);
    source
}

fn trust(domains: &[&Domain]) -> BundleHandle {
    Arc::new(ArcSwap::from_pointee(domains.iter().map(|domain| domain.bundle()).collect::<BundleSet>()))
}

fn server(identity: &Arc<IdentitySource>, bundles: &BundleHandle, clients: ClientAuth) -> Arc<ServerConfig> {
    Arc::new(server_config(identity.clone(), bundles.clone(), clients, clock()).unwrap())
}

fn client(
    identity: Option<&Arc<IdentitySource>>,
    bundles: &BundleHandle,
    servers: Authorize,
) -> Arc<ClientConfig> {
    Arc::new(client_config(identity.cloned(), bundles.clone(), servers, clock()).unwrap())
}

/// Both sides after a handshake.
struct Done {
    client: ClientConnection,
    server: ServerConnection,
}

impl Done {
    /// Whom the server sees.
    fn seen_by_server(&self, bundles: &BundleHandle) -> Option<SpiffeId> {
        let chain = self.server.peer_certificates()?;
        Some(peer_svid(chain, &bundles.load(), now()).unwrap().id().clone())
    }

    /// Whom the client sees.
    fn seen_by_client(&self, bundles: &BundleHandle) -> SpiffeId {
        peer_svid(self.client.peer_certificates().unwrap(), &bundles.load(), now()).unwrap().id().clone()
    }
}

fn handshake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Result<Done, rustls::Error> {
    let name = ServerName::try_from(NAME).unwrap();
    let mut client = ClientConnection::new(client.clone(), name)?;
    let mut server = ServerConnection::new(server.clone())?;
    // Some rounds more than a handshake has, so that what comes after it comes too.
    for _ in 0..8 {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut unread = &wire[..];
        while !unread.is_empty() {
            server.read_tls(&mut unread).unwrap();
            server.process_new_packets()?;
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut unread = &wire[..];
        while !unread.is_empty() {
            client.read_tls(&mut unread).unwrap();
            client.process_new_packets()?;
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok(Done { client, server })
}

fn refused(outcome: Result<Done, rustls::Error>) -> String {
    match outcome {
        Ok(_) => panic!("the handshake succeeded"),
        Err(why) => format!("{why:?}"),
    }
}

fn id(text: &str) -> SpiffeId {
    SpiffeId::parse(text).unwrap()
}

#[test]
fn both_sides_learn_who_the_other_is() {
    let domain = Domain::new("example.org");
    let trusted = trust(&[&domain]);
    let server = server(&domain.identity("/server"), &trusted, ClientAuth::Require(Authorize::Any));
    let client =
        client(Some(&domain.identity("/client")), &trusted, Authorize::Id(id("spiffe://example.org/server")));
    let done = handshake(&client, &server).unwrap();
    assert_eq!(done.seen_by_server(&trusted), Some(id("spiffe://example.org/client")));
    assert_eq!(done.seen_by_client(&trusted), id("spiffe://example.org/server"));
    assert_eq!(done.client.protocol_version(), Some(ProtocolVersion::TLSv1_3));
}

#[test]
fn keys_of_all_kinds_and_keys_elsewhere_make_handshakes() {
    /// Stands for a key manager: the key is not here.
    struct Remote(PrivateKey);
    impl Signer for Remote {
        fn public(&self) -> &PublicKey {
            self.0.public()
        }
        fn sign(&self, alg: SigAlg, message: &[u8]) -> Result<Vec<u8>, SignError> {
            self.0.sign(alg, message)
        }
    }
    let domain = Domain::new("example.org");
    let trusted = trust(&[&domain]);
    let plain = client(None, &trusted, Authorize::Any);
    // A client that knows nothing of SPIFFE: TLS 1.2, names in the DNS.
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(domain.0.certificate().der())).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let ordinary = ClientConfig::builder_with_details(provider, Arc::new(StoppedClock))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let ordinary = Arc::new(ordinary);
    for key_type in [KeyType::EcP256, KeyType::EcP384, KeyType::Rsa2048] {
        let key = Arc::new(Remote(PrivateKey::generate(key_type).unwrap()));
        let server = server(&source(domain.identity_on("/server", key)), &trusted, ClientAuth::None);
        handshake(&plain, &server).unwrap();
        let done = handshake(&ordinary, &server).unwrap();
        assert_eq!(done.client.protocol_version(), Some(ProtocolVersion::TLSv1_2));
    }
}

#[test]
fn a_server_that_requires_a_certificate_turns_away_those_without_and_those_not_meant() {
    let domain = Domain::new("example.org");
    let trusted = trust(&[&domain]);
    let identity = domain.identity("/server");
    let any = server(&identity, &trusted, ClientAuth::Require(Authorize::Any));
    assert!(
        refused(handshake(&client(None, &trusted, Authorize::Any), &any)).contains("NoCertificatesPresented")
    );
    let one =
        server(&identity, &trusted, ClientAuth::Require(Authorize::Id(id("spiffe://example.org/friend"))));
    let why = refused(handshake(&client(Some(&domain.identity("/other")), &trusted, Authorize::Any), &one));
    assert!(why.contains("spiffe://example.org/other"), "{why}");
    handshake(&client(Some(&domain.identity("/friend")), &trusted, Authorize::Any), &one).unwrap();
}

#[test]
fn a_server_that_asks_admits_those_without_a_certificate_and_not_those_with_a_bad_one() {
    let (domain, stranger) = (Domain::new("example.org"), Domain::new("example.org"));
    let trusted = trust(&[&domain]);
    let server = server(&domain.identity("/server"), &trusted, ClientAuth::Request);
    let done = handshake(&client(None, &trusted, Authorize::Any), &server).unwrap();
    assert_eq!(done.seen_by_server(&trusted), None);
    let known = client(Some(&domain.identity("/client")), &trusted, Authorize::Any);
    assert!(handshake(&known, &server).unwrap().seen_by_server(&trusted).is_some());
    refused(handshake(&client(Some(&stranger.identity("/client")), &trusted, Authorize::Any), &server));
    let key = Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
    let expired = source(domain.identity_until("/client", key, now() - HOUR / 2));
    let why = refused(handshake(&client(Some(&expired), &trusted, Authorize::Any), &server));
    assert!(why.contains("Expired"), "{why}");
}

#[test]
fn a_client_connects_only_to_the_server_it_means() {
    let (domain, other) = (Domain::new("example.org"), Domain::new("other.org"));
    let trusted = trust(&[&domain, &other]);
    let own = server(&domain.identity("/server"), &trusted, ClientAuth::None);
    let foreign = server(&other.identity("/server"), &trusted, ClientAuth::None);
    let to = |whom: Authorize, server: &Arc<ServerConfig>| handshake(&client(None, &trusted, whom), server);
    to(Authorize::Id(id("spiffe://example.org/server")), &own).unwrap();
    refused(to(Authorize::Id(id("spiffe://example.org/server")), &foreign));
    refused(to(Authorize::Id(id("spiffe://example.org/Server")), &own));
    to(Authorize::TrustDomain(TrustDomain::parse("other.org").unwrap()), &foreign).unwrap();
    refused(to(Authorize::TrustDomain(TrustDomain::parse("other.org").unwrap()), &own));
    to(Authorize::Any, &foreign).unwrap();
    to(Authorize::Fn(Arc::new(|id| id.path() == "/server")), &own).unwrap();
    refused(to(Authorize::Fn(Arc::new(|_| false)), &own));
    let several = |all: &[&str]| Authorize::Ids(all.iter().map(|one| id(one)).collect());
    to(several(&["spiffe://example.org/a", "spiffe://example.org/server"]), &own).unwrap();
    refused(to(several(&["spiffe://example.org/a", "spiffe://other.org/server"]), &own));
    refused(to(several(&[]), &own));
}

#[test]
fn another_authority_of_the_same_name_is_refused() {
    let (real, liar) = (Domain::new("example.org"), Domain::new("example.org"));
    let trusted = trust(&[&real]);
    let server = server(&liar.identity("/server"), &trusted, ClientAuth::None);
    let why = refused(handshake(&client(None, &trusted, Authorize::Any), &server));
    assert!(why.contains("NoAuthority"), "{why}");
}

#[test]
fn a_new_identity_is_shown_from_the_next_handshake_on() {
    let domain = Domain::new("example.org");
    let trusted = trust(&[&domain]);
    let identity = domain.identity("/first");
    let (server, client) =
        (server(&identity, &trusted, ClientAuth::None), client(None, &trusted, Authorize::Any));
    assert_eq!(handshake(&client, &server).unwrap().seen_by_client(&trusted).path(), "/first");
    identity.set(domain.identity_on("/second", Arc::new(PrivateKey::generate(KeyType::EcP384).unwrap())));
    assert_eq!(handshake(&client, &server).unwrap().seen_by_client(&trusted).path(), "/second");
}

#[test]
fn a_revoked_authority_is_refused_from_the_next_handshake_on() {
    let (domain, next) = (Domain::new("example.org"), Domain::new("example.org"));
    let trusted = trust(&[&domain]);
    let server = server(&domain.identity("/server"), &trusted, ClientAuth::Require(Authorize::Any));
    let client = client(Some(&domain.identity("/client")), &trusted, Authorize::Any);
    for _ in 0..2 {
        // Nothing is resumed: each handshake is a full one, so each is judged.
        let done = handshake(&client, &server).unwrap();
        assert!(matches!(
            done.client.handshake_kind(),
            Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest)
        ));
    }
    trusted.store(Arc::new([next.bundle()].into_iter().collect()));
    refused(handshake(&client, &server));
    trusted.store(Arc::default());
    refused(handshake(&client, &server));
}

#[test]
fn a_side_without_an_identity_fails_its_handshake() {
    let domain = Domain::new("example.org");
    let trusted = trust(&[&domain]);
    let none = server(&IdentitySource::new(), &trusted, ClientAuth::None);
    refused(handshake(&client(None, &trusted, Authorize::Any), &none));
    let asks = server(&domain.identity("/server"), &trusted, ClientAuth::Require(Authorize::Any));
    refused(handshake(&client(Some(&IdentitySource::new()), &trusted, Authorize::Any), &asks));
}

#[test]
fn a_clock_out_of_range_refuses_and_does_not_panic() {
    let domain = Domain::new("example.org");
    let trusted = trust(&[&domain]);
    let server = server(&domain.identity("/server"), &trusted, ClientAuth::None);
    for time in [SystemTime::UNIX_EPOCH - HOUR, SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 60)] {
        let broken = client_config(None, trusted.clone(), Authorize::Any, Arc::new(move || time)).unwrap();
        refused(handshake(&Arc::new(broken), &server));
    }
}

#[test]
fn an_identity_needs_its_own_key() {
    let domain = Domain::new("example.org");
    let identity = domain.identity("/a").get().unwrap();
    let other = Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
    assert!(Identity::new(identity.svid().clone(), other).is_err());
}

#[test]
fn federated_domains_meet_both_ways_and_each_by_its_own_bundle() {
    let (ours, theirs) = (Domain::new("example.org"), Domain::new("other.org"));
    let (here, there) = (trust(&[&ours, &theirs]), trust(&[&theirs, &ours]));
    let of = |name: &str| Authorize::TrustDomain(TrustDomain::parse(name).unwrap());
    for (left, left_trust, right, right_trust) in
        [(&ours, &here, &theirs, &there), (&theirs, &there, &ours, &here)]
    {
        let (left_name, right_name) = (left.0.trust_domain().as_str(), right.0.trust_domain().as_str());
        let server = server(&right.identity("/server"), right_trust, ClientAuth::Require(of(left_name)));
        let client = client(Some(&left.identity("/client")), left_trust, of(right_name));
        let done = handshake(&client, &server).unwrap();
        assert!(done.seen_by_server(right_trust).unwrap().member_of(left.0.trust_domain()));
        assert!(done.seen_by_client(left_trust).member_of(right.0.trust_domain()));
        // One side ends the federation: it is the one that refuses.
        let kept = right_trust.swap(Arc::new([right.bundle()].into_iter().collect()));
        assert!(refused(handshake(&client, &server)).contains("NoBundle"));
        right_trust.store(kept);
    }
    // An authority of one domain that signs for the other: its chain is judged by the other's bundle.
    let liar =
        Domain(X509Issuer::new(theirs.0.certificate().clone(), vec![], theirs.0.signer().clone()).unwrap());
    let foreign = id("spiffe://example.org/server");
    let key = PrivateKey::generate(KeyType::EcP256).unwrap();
    let leaf = LeafTemplate::new(foreign, key.public().clone(), now() - HOUR, now() + HOUR).issue(&liar.0);
    assert!(leaf.is_err(), "{leaf:?}");
}

/// A domain whose signing certificate stands below a company's, which has these URI constraints.
fn below_company(constraints: UriConstraints, domain: &str) -> (Domain, Arc<Bundle>) {
    let td = TrustDomain::parse(domain).unwrap();
    let new_key = || Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
    let template = || CaTemplate::new(td.clone(), CaSubject::default(), now() - HOUR, now() + 24 * HOUR);
    let (company, own) = (new_key(), new_key());
    let root = template().constrain(constraints).self_sign(&*company).unwrap();
    let issuer = X509Issuer::new(root.clone(), vec![], company).unwrap();
    let ca = template().issue(own.public(), &issuer).unwrap();
    let mut bundle = Bundle::new(td.clone());
    bundle.push_x509(X509Authority { certificate: root, tainted: false }).unwrap();
    (Domain(X509Issuer::new(ca, vec![], own).unwrap()), Arc::new(bundle))
}

#[test]
fn peers_below_an_authority_with_uri_constraints_are_let_in() {
    let constraints = UriConstraints::new().permit("example.org").exclude("other.org");
    let (domain, bundle) = below_company(constraints, "example.org");
    let trusted: BundleHandle = Arc::new(ArcSwap::from_pointee([bundle].into_iter().collect()));
    let server = server(&domain.identity("/server"), &trusted, ClientAuth::Require(Authorize::Any));
    let client = client(Some(&domain.identity("/client")), &trusted, Authorize::Any);
    let done = handshake(&client, &server).unwrap();
    assert_eq!(done.seen_by_server(&trusted), Some(id("spiffe://example.org/client")));
}

#[test]
fn peers_that_uri_constraints_keep_out_are_refused() {
    // The company's authority is in the bundles of two domains, and is constrained to one of them.
    let (domain, bundle) = below_company(UriConstraints::new().permit("example.org"), "example.org");
    let company = bundle.x509_authorities()[0].clone();
    let mut other = Bundle::new(TrustDomain::parse("other.org").unwrap());
    other.push_x509(company.clone()).unwrap();
    let trusted: BundleHandle =
        Arc::new(ArcSwap::from_pointee([bundle, Arc::new(other)].into_iter().collect()));

    // An authority for the other domain, below the same key but with a certificate that does not say so.
    let own = Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
    let td = TrustDomain::parse("other.org").unwrap();
    let subordinate =
        CaTemplate::new(td, CaSubject::default(), now() - HOUR, now() + HOUR).self_sign(&*own).unwrap();
    let upstream = vec![domain.0.certificate().clone()];
    let stray = Domain(X509Issuer::new(resigned(&subordinate, &domain), upstream, own).unwrap());
    let server = server(&domain.identity("/server"), &trusted, ClientAuth::Require(Authorize::Any));
    let client = client(Some(&stray.identity("/client")), &trusted, Authorize::Any);
    let why = refused(handshake(&client, &server));
    assert!(why.contains("NotPermitted"), "{why}");
}

/// `certificate` again, signed by `domain`: the library's templates would refuse the foreign trust domain.
fn resigned(certificate: &Certificate, domain: &Domain) -> Certificate {
    let signed = certificate.der();
    // The content begins after the outer header, with a header of its own of four bytes.
    let content = &signed[4..];
    let length = usize::from(content[2]) << 8 | usize::from(content[3]);
    let content = content[..4 + length].to_vec();
    let replaced = replace(&content, certificate.issuer_der(), domain.0.certificate().subject_der());
    let signature = domain.0.signer().sign(SigAlg::EcdsaP256Sha256, &replaced).unwrap();
    Certificate::parse(spiffe::x509::assemble(&replaced, SigAlg::EcdsaP256Sha256, &signature)).unwrap()
}

/// The first `old` in a sequence replaced by `new`, and the sequence's length set right.
fn replace(sequence: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = sequence.windows(old.len()).position(|window| window == old).unwrap();
    let content = [&sequence[4..at], new, &sequence[at + old.len()..]].concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[0x30, 0x82][..], &length, &content].concat()
}

/// Shows whatever it was made of.
#[derive(Debug)]
struct Shown(Arc<rustls::sign::CertifiedKey>);

impl rustls::server::ResolvesServerCert for Shown {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(self.0.clone())
    }
}

impl rustls::client::ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[test]
fn a_certificate_that_was_copied_without_its_key_is_refused_on_both_sides() {
    let domain = Domain::new("example.org");
    let trusted = trust(&[&domain]);
    let (good_server, good_client) = (domain.identity("/server"), domain.identity("/client"));
    let stolen = |identity: &Arc<IdentitySource>| {
        let chain = identity.get().unwrap().svid().chain().to_vec();
        let chain = chain.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
        let own = PrivateKey::generate(KeyType::EcP256).unwrap();
        let der = rustls_pki_types::PrivateKeyDer::Pkcs8(own.to_pkcs8().to_vec().into());
        let own = rustls::crypto::aws_lc_rs::sign::any_supported_type(&der).unwrap();
        Arc::new(Shown(Arc::new(rustls::sign::CertifiedKey::new(chain, own))))
    };
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone());
        let thief = builder.with_protocol_versions(&[version]).unwrap().with_no_client_auth();
        let thief = Arc::new(thief.with_cert_resolver(stolen(&good_server)));
        let why = refused(handshake(&client(None, &trusted, Authorize::Any), &thief));
        assert!(why.contains("BadSignature"), "{why}");

        let own = client(Some(&good_client), &trusted, Authorize::Any);
        let mut thief = (*own).clone();
        thief.client_auth_cert_resolver = stolen(&good_client);
        let asks = server(&good_server, &trusted, ClientAuth::Require(Authorize::Any));
        handshake(&own, &asks).unwrap();
        let why = refused(handshake(&Arc::new(thief), &asks));
        assert!(why.contains("BadSignature"), "{why}");
    }
}

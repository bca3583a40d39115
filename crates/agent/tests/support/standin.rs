//! A server in this process: enough of SPIRE's API to attest and issue, and a feed that the test plays by hand.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use futures_util::StreamExt as _;
use http::{Request as HttpRequest, Response as HttpResponse};
use proto::bonafide::feed::v1::{Cursor, Down, Heartbeat, Hello, Page, Up, Welcome, down, up};
use proto::spire::api::server::agent::v1::{
    AttestAgentRequest, AttestAgentResponse, RenewAgentRequest, RenewAgentResponse, attest_agent_request,
    attest_agent_response,
};
use proto::spire::api::server::bundle::v1::{GetBundleRequest, GetFederatedBundleRequest};
use proto::spire::api::server::entry::v1::{
    EntryRevision, SyncAuthorizedEntriesRequest, SyncAuthorizedEntriesResponse,
};
use proto::spire::api::server::svid::v1::{
    BatchNewWitsvidRequest, BatchNewWitsvidResponse, BatchNewX509svidRequest, BatchNewX509svidResponse,
    NewJwtsvidRequest, NewJwtsvidResponse, batch_new_witsvid_response, batch_new_x509svid_response,
};
use proto::spire::api::types;
use spiffe::bundle::{Bundle, BundleSet, X509Authority};
use spiffe::jwt::JwtSvidClaims;
use spiffe::key::{KeyType, PrivateKey, PublicKey, SigAlg, Signer};
use spiffe::wit::{ConfirmationKey, WitClaims, WitIssuer};
use spiffe::x509::{CaSubject, CaTemplate, Certificate, Csr, LeafTemplate, X509Issuer, X509Svid};
use spiffe::{SpiffeId, TrustDomain};
use spiffe_tls::{ClientAuth, Identity, IdentitySource};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tower_service::Service;

/// One subscription, played by the test.
pub struct Subscription {
    pub hello: Hello,
    pub up: Streaming<Up>,
    pub down: mpsc::UnboundedSender<Result<Down, Status>>,
}

impl Subscription {
    pub fn send(&self, kind: down::Kind) {
        let _ = self.down.send(Ok(Down { kind: Some(kind) }));
    }

    pub fn welcome(&self, resumed: bool) {
        self.send(down::Kind::Welcome(Welcome { resumed, heartbeat_ms: 60_000, ..Welcome::default() }));
    }

    pub fn page(&self, world: &World, number: u64, entries: &[types::Entry], last: bool) {
        let bundles = vec![world.wire_bundle()];
        self.send(down::Kind::Page(Page { cursor: at(number), entries: entries.to_vec(), bundles, last }));
    }

    pub fn beat(&self, number: u64, digest: [u8; 16]) {
        self.send(down::Kind::Heartbeat(Heartbeat { cursor: at(number), digest: digest.to_vec() }));
    }

    /// The next message that is no report.
    pub async fn hear(&mut self) -> up::Kind {
        loop {
            let message = tokio::time::timeout(Duration::from_secs(10), self.up.message());
            match message.await.expect("the agent says something").unwrap().expect("the agent is there").kind
            {
                Some(up::Kind::Report(_)) | None => {}
                Some(kind) => return kind,
            }
        }
    }

    /// Expects an acknowledgement of that number.
    pub async fn acked(&mut self, number: u64) {
        match self.hear().await {
            up::Kind::Ack(ack) => assert_eq!(ack.number, number),
            other => panic!("instead of an acknowledgement: {other:?}"),
        }
    }
}

pub fn at(number: u64) -> Option<Cursor> {
    Some(Cursor { number, tag: number.to_be_bytes().to_vec() })
}

/// An entry for whoever has uid 1000.
pub fn entry(id: &str, path: &str, revision: i64) -> types::Entry {
    types::Entry {
        id: id.to_owned(),
        spiffe_id: Some(wire_id(&SpiffeId::parse(&format!("spiffe://example.org{path}")).unwrap())),
        selectors: vec![types::Selector { r#type: "unix".into(), value: "uid:1000".into() }],
        revision_number: revision,
        ..types::Entry::default()
    }
}

fn wire_id(id: &SpiffeId) -> types::Spiffeid {
    types::Spiffeid { trust_domain: id.trust_domain().as_str().to_owned(), path: id.path().to_owned() }
}

/// What the server is made of.
pub struct World {
    td: TrustDomain,
    issuer: ArcSwap<X509Issuer>,
    jwt_key: PrivateKey,
    wit_key: PrivateKey,
    /// How long WIT-SVIDs live; there are none without it.
    pub wit_ttl: Mutex<Option<Duration>>,
    /// How many WIT-SVIDs were asked for.
    pub wits: AtomicUsize,
    bundle: ArcSwap<Bundle>,
    identity: Arc<IdentitySource>,
    trust: Arc<ArcSwap<BundleSet>>,
    /// What SPIRE's protocol serves, and what SVIDs are issued for.
    pub entries: Mutex<Vec<types::Entry>>,
    /// From this many entries on, revisions come first.
    pub page: AtomicUsize,
    /// Ids that were asked for in whole.
    pub asked: Mutex<Vec<String>>,
    pub agent_ttl: Mutex<Duration>,
    pub svid_ttl: Mutex<Duration>,
    /// Answers calls with this, if set.
    pub refusal: Mutex<Option<Status>>,
    pub attestations: AtomicUsize,
    pub issued: AtomicUsize,
    pub reattestable: bool,
    feeds: Option<mpsc::UnboundedSender<Subscription>>,
}

/// A server in this process.
pub struct StandIn {
    pub world: Arc<World>,
    pub port: u16,
    pub feeds: mpsc::UnboundedReceiver<Subscription>,
    folder: tempfile::TempDir,
    task: tokio::task::JoinHandle<()>,
}

fn authority(td: &TrustDomain) -> X509Issuer {
    let key = PrivateKey::generate(KeyType::EcP256).unwrap();
    let now = SystemTime::now();
    let serial = u128::from_be_bytes(*uuid::Uuid::new_v4().as_bytes());
    let subject = CaSubject {
        country: vec!["US".into()],
        organization: vec!["SPIFFE".into()],
        common_name: format!("{serial}"),
    };
    let template =
        CaTemplate::new(td.clone(), subject, now - Duration::from_secs(10), now + Duration::from_secs(3600));
    let ca = template.self_sign(&key).unwrap();
    X509Issuer::new(ca, Vec::new(), Arc::new(key)).unwrap()
}

impl World {
    fn new(feeds: Option<mpsc::UnboundedSender<Subscription>>, reattestable: bool) -> Self {
        let td = TrustDomain::parse("example.org").unwrap();
        let issuer = authority(&td);
        let mut bundle = Bundle::new(td.clone());
        bundle
            .push_x509(X509Authority { certificate: issuer.certificate().clone(), tainted: false })
            .unwrap();
        let world = Self {
            issuer: ArcSwap::from_pointee(issuer),
            jwt_key: PrivateKey::generate(KeyType::EcP256).unwrap(),
            wit_key: PrivateKey::generate(KeyType::EcP256).unwrap(),
            wit_ttl: Mutex::new(Some(Duration::from_secs(3600))),
            wits: AtomicUsize::new(0),
            trust: Arc::new(ArcSwap::from_pointee(std::iter::once(Arc::new(bundle.clone())).collect())),
            bundle: ArcSwap::from_pointee(bundle),
            identity: IdentitySource::new(),
            entries: Mutex::default(),
            page: AtomicUsize::new(500),
            asked: Mutex::default(),
            agent_ttl: Mutex::new(Duration::from_secs(3600)),
            svid_ttl: Mutex::new(Duration::from_secs(3600)),
            refusal: Mutex::default(),
            attestations: AtomicUsize::new(0),
            issued: AtomicUsize::new(0),
            reattestable,
            feeds,
            td,
        };
        let key = Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
        let chain = world.sign("/spire/server", key.public().clone(), Duration::from_secs(3600));
        let svid = X509Svid::parse_chain(chain).unwrap();
        world.identity.set(Identity::new(svid, key).unwrap());
        world
    }

    fn sign(&self, path: &str, key: spiffe::key::PublicKey, ttl: Duration) -> Vec<Vec<u8>> {
        let id = SpiffeId::new(&self.td, path).unwrap();
        let now = SystemTime::now();
        let issuer = self.issuer.load();
        let leaf =
            LeafTemplate::new(id, key, now - Duration::from_secs(1), now + ttl).issue(&issuer).unwrap();
        issuer.chain_for(leaf).iter().map(|one: &Certificate| one.der().to_vec()).collect()
    }

    /// Signs with a new authority; the old one stays in the bundle, tainted.
    pub fn taint(&self) {
        let issuer = authority(&self.td);
        let mut bundle = Bundle::new(self.td.clone());
        for old in self.bundle.load().x509_authorities() {
            bundle.push_x509(X509Authority { certificate: old.certificate.clone(), tainted: true }).unwrap();
        }
        bundle
            .push_x509(X509Authority { certificate: issuer.certificate().clone(), tainted: false })
            .unwrap();
        self.trust.store(Arc::new(std::iter::once(Arc::new(bundle.clone())).collect()));
        self.bundle.store(Arc::new(bundle));
        self.issuer.store(Arc::new(issuer));
    }

    pub fn wire_bundle(&self) -> types::Bundle {
        let bundle = self.bundle.load();
        let x509 = bundle.x509_authorities().iter();
        types::Bundle {
            trust_domain: "example.org".to_owned(),
            x509_authorities: x509
                .map(|one| types::X509Certificate {
                    asn1: one.certificate.der().to_vec(),
                    tainted: one.tainted,
                })
                .collect(),
            jwt_authorities: vec![types::JwtKey {
                public_key: self.jwt_key.public().spki_der().to_vec(),
                key_id: "jwt".to_owned(),
                ..types::JwtKey::default()
            }],
            wit_authorities: vec![types::WitKey {
                public_key: self.wit_key.public().spki_der().to_vec(),
                key_id: "wit".to_owned(),
                ..types::WitKey::default()
            }],
            ..types::Bundle::default()
        }
    }

    fn refused(&self) -> Result<(), Status> {
        match self.refusal.lock().unwrap().clone() {
            Some(status) => Err(status),
            None => Ok(()),
        }
    }

    fn agent_svid(&self, csr: &[u8]) -> types::X509svid {
        let csr = Csr::parse(csr).unwrap();
        assert!(csr.uri_sans().is_empty(), "an agent's request names nobody");
        let ttl = *self.agent_ttl.lock().unwrap();
        let cert_chain = self.sign("/spire/agent/join_token/x", csr.public_key().clone(), ttl);
        types::X509svid { cert_chain, ..types::X509svid::default() }
    }

    async fn attest(&self, mut asked: Streaming<AttestAgentRequest>) -> Result<AttestAgentResponse, Status> {
        self.attestations.fetch_add(1, Ordering::SeqCst);
        let first = asked.message().await?.unwrap();
        let Some(attest_agent_request::Step::Params(params)) = first.step else { panic!("no parameters") };
        assert_eq!(params.data.unwrap().r#type, "join_token");
        let svid = self.agent_svid(&params.params.unwrap().csr);
        let result = attest_agent_response::Result { svid: Some(svid), reattestable: self.reattestable };
        Ok(AttestAgentResponse { step: Some(attest_agent_response::Step::Result(result)) })
    }

    fn issue(&self, asked: BatchNewX509svidRequest) -> Result<BatchNewX509svidResponse, Status> {
        self.refused()?;
        let entries = self.entries.lock().unwrap().clone();
        let ttl = *self.svid_ttl.lock().unwrap();
        let results = asked.params.iter().map(|params| {
            self.issued.fetch_add(1, Ordering::SeqCst);
            let Some(entry) = entries.iter().find(|entry| entry.id == params.entry_id) else {
                let status = types::Status { code: 5, message: "entry not found".to_owned() };
                return batch_new_x509svid_response::Result { status: Some(status), svid: None };
            };
            let csr = Csr::parse(&params.csr).unwrap();
            let path = entry.spiffe_id.as_ref().unwrap().path.clone();
            let cert_chain = self.sign(&path, csr.public_key().clone(), ttl);
            let svid = types::X509svid { cert_chain, ..types::X509svid::default() };
            batch_new_x509svid_response::Result { status: Some(types::Status::default()), svid: Some(svid) }
        });
        Ok(BatchNewX509svidResponse { results: results.collect() })
    }

    fn jwt(&self, asked: NewJwtsvidRequest) -> Result<NewJwtsvidResponse, Status> {
        self.refused()?;
        let entries = self.entries.lock().unwrap();
        let entry = entries.iter().find(|entry| entry.id == asked.entry_id).unwrap();
        let id = entry.spiffe_id.clone().unwrap();
        let now = SystemTime::now();
        let claims = JwtSvidClaims {
            subject: SpiffeId::new(&self.td, &id.path).unwrap(),
            audience: asked.audience,
            issued_at: now,
            expires_at: now + Duration::from_secs(300),
            issuer: None,
            jti: None,
        };
        let token = spiffe::jwt::sign(&claims, "jwt", &self.jwt_key).unwrap();
        let unix = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
        let (issued_at, expires_at) = (unix(now), unix(now) + 300);
        let svid = types::Jwtsvid { token, id: Some(id), expires_at, issued_at, ..types::Jwtsvid::default() };
        Ok(NewJwtsvidResponse { svid: Some(svid) })
    }

    fn wit(&self, asked: BatchNewWitsvidRequest) -> Result<BatchNewWitsvidResponse, Status> {
        self.refused()?;
        let ttl = self
            .wit_ttl
            .lock()
            .unwrap()
            .ok_or_else(|| Status::unimplemented("WIT functionality is disabled"))?;
        let entries = self.entries.lock().unwrap().clone();
        let results = asked.params.iter().map(|params| {
            self.wits.fetch_add(1, Ordering::SeqCst);
            let entry = entries.iter().find(|entry| entry.id == params.entry_id).unwrap();
            let id = entry.spiffe_id.clone().unwrap();
            let now = SystemTime::now();
            let key = PublicKey::from_spki_der(&params.public_key).unwrap();
            let alg = SigAlg::from_jws(&params.signing_algorithm).unwrap();
            let claims = WitClaims {
                subject: SpiffeId::new(&self.td, &id.path).unwrap(),
                confirmation: ConfirmationKey::new(key, alg).unwrap(),
                expires_at: now + ttl,
                not_before: None,
                issued_at: Some(now),
                issuer: None,
                jti: None,
            };
            let signer = Arc::new(PrivateKey::from_pkcs8(&self.wit_key.to_pkcs8()).unwrap());
            let issuer = WitIssuer::named(self.td.clone(), "wit".to_owned(), signer).unwrap();
            let token = issuer.issue(&claims).unwrap();
            let unix = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
            let (issued_at, expires_at) = (unix(now), unix(now + ttl));
            let svid =
                types::Witsvid { token, id: Some(id), expires_at, issued_at, ..types::Witsvid::default() };
            // As SPIRE 1.16 has it, without a status.
            batch_new_witsvid_response::Result { status: None, svid: Some(svid) }
        });
        Ok(BatchNewWitsvidResponse { results: results.collect() })
    }

    async fn sync(
        self: Arc<Self>,
        mut asked: Streaming<SyncAuthorizedEntriesRequest>,
    ) -> Result<mpsc::UnboundedReceiver<Result<SyncAuthorizedEntriesResponse, Status>>, Status> {
        self.refused()?;
        let (answers, queue) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let first = asked.message().await.unwrap().unwrap();
            assert!(first.ids.is_empty() && first.output_mask.unwrap().revision_number);
            let entries = self.entries.lock().unwrap().clone();
            let page = self.page.load(Ordering::SeqCst);
            if entries.len() <= page {
                let answer =
                    SyncAuthorizedEntriesResponse { entries, ..SyncAuthorizedEntriesResponse::default() };
                let _ = answers.send(Ok(answer));
                return;
            }
            let pages = entries.chunks(page).count();
            for (index, chunk) in entries.chunks(page).enumerate() {
                let revision = |one: &types::Entry| EntryRevision {
                    id: one.id.clone(),
                    revision_number: one.revision_number,
                    created_at: one.created_at,
                };
                let entry_revisions = chunk.iter().map(revision).collect();
                let more = index + 1 < pages;
                let _ = answers.send(Ok(SyncAuthorizedEntriesResponse {
                    entry_revisions,
                    entries: vec![],
                    more,
                }));
            }
            while let Ok(Some(next)) = asked.message().await {
                assert!(next.ids.len() <= page);
                self.asked.lock().unwrap().extend(next.ids.clone());
                let entries = entries.iter().filter(|one| next.ids.contains(&one.id)).cloned().collect();
                let _ = answers.send(Ok(SyncAuthorizedEntriesResponse { entries, ..Default::default() }));
            }
        });
        Ok(queue)
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<HttpResponse<Body>, Infallible>> + Send>>;

macro_rules! service {
    ($name:ident, $path:literal, |$world:ident, $request:ident, $method:ident| $route:expr) => {
        #[derive(Clone)]
        struct $name(Arc<World>);

        impl NamedService for $name {
            const NAME: &'static str = $path;
        }

        impl Service<HttpRequest<Body>> for $name {
            type Response = HttpResponse<Body>;
            type Error = Infallible;
            type Future = Answer;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, $request: HttpRequest<Body>) -> Answer {
                let $world = self.0.clone();
                Box::pin(async move {
                    let $method = $request.uri().path().rsplit('/').next().unwrap().to_owned();
                    Ok($route)
                })
            }
        }
    };
}

fn unknown() -> HttpResponse<Body> {
    Status::unimplemented("not here").into_http()
}

async fn unary<Q, A>(
    request: HttpRequest<Body>,
    answer: impl Fn(Q) -> Result<A, Status> + Send + Sync + Clone + 'static,
) -> HttpResponse<Body>
where
    Q: prost::Message + Default + Send + Sync + 'static,
    A: prost::Message + Default + Send + Sync + 'static,
{
    let service = tower::service_fn(move |asked: Request<Q>| {
        std::future::ready(answer(asked.into_inner()).map(Response::new))
    });
    Grpc::new(ProstCodec::<A, Q>::default()).unary(service, request).await
}

service!(Agents, "spire.api.server.agent.v1.Agent", |world, request, method| match method.as_str() {
    "AttestAgent" => {
        let service = tower::service_fn(move |asked: Request<Streaming<AttestAgentRequest>>| {
            let world = world.clone();
            async move {
                let answer = world.attest(asked.into_inner()).await?;
                Ok::<_, Status>(Response::new(futures_util::stream::iter([Ok::<_, Status>(answer)])))
            }
        });
        Grpc::new(ProstCodec::<AttestAgentResponse, AttestAgentRequest>::default())
            .streaming(service, request)
            .await
    }
    "RenewAgent" => {
        unary(request, move |asked: RenewAgentRequest| {
            world.refused()?;
            Ok(RenewAgentResponse { svid: Some(world.agent_svid(&asked.params.unwrap().csr)) })
        })
        .await
    }
    _ => unknown(),
});

service!(Bundles, "spire.api.server.bundle.v1.Bundle", |world, request, method| match method.as_str() {
    "GetBundle" => unary(request, move |_: GetBundleRequest| Ok(world.wire_bundle())).await,
    "GetFederatedBundle" => {
        unary(request, move |asked: GetFederatedBundleRequest| match asked.trust_domain.as_str() {
            "other.org" => Ok(types::Bundle { trust_domain: asked.trust_domain, ..world.wire_bundle() }),
            _ => Err(Status::not_found("bundle not found")),
        })
        .await
    }
    _ => unknown(),
});

service!(Entries, "spire.api.server.entry.v1.Entry", |world, request, method| match method.as_str() {
    "SyncAuthorizedEntries" => {
        let service = tower::service_fn(move |asked: Request<Streaming<SyncAuthorizedEntriesRequest>>| {
            let world = world.clone();
            async move {
                let queue = world.sync(asked.into_inner()).await?;
                Ok::<_, Status>(Response::new(UnboundedReceiverStream::new(queue)))
            }
        });
        let codec = ProstCodec::<SyncAuthorizedEntriesResponse, SyncAuthorizedEntriesRequest>::default();
        Grpc::new(codec).streaming(service, request).await
    }
    _ => unknown(),
});

service!(Svids, "spire.api.server.svid.v1.SVID", |world, request, method| match method.as_str() {
    "BatchNewX509SVID" => unary(request, move |asked| world.issue(asked)).await,
    "BatchNewWITSVID" => unary(request, move |asked| world.wit(asked)).await,
    "NewJWTSVID" => unary(request, move |asked| world.jwt(asked)).await,
    _ => unknown(),
});

service!(
    Feeds,
    "bonafide.feed.v1.Feed",
    |world, request, method| match (method.as_str(), world.feeds.clone()) {
        ("Subscribe", Some(feeds)) => {
            let service = tower::service_fn(move |asked: Request<Streaming<Up>>| {
                let feeds = feeds.clone();
                let refused = world.refused();
                async move {
                    refused?;
                    let mut up = asked.into_inner();
                    let (down, queue) = mpsc::unbounded_channel();
                    let Some(up::Kind::Hello(hello)) = up.message().await?.unwrap().kind else {
                        panic!("no Hello")
                    };
                    let _ = feeds.send(Subscription { hello, up, down });
                    Ok::<_, Status>(Response::new(UnboundedReceiverStream::new(queue)))
                }
            });
            Grpc::new(ProstCodec::<Down, Up>::default()).streaming(service, request).await
        }
        _ => unknown(),
    }
);

impl StandIn {
    /// One that speaks the feed.
    pub async fn with_feed() -> Self {
        Self::start(true, false).await
    }

    /// One that speaks SPIRE's protocol only.
    pub async fn without_feed() -> Self {
        Self::start(false, false).await
    }

    pub async fn start(feed: bool, reattestable: bool) -> Self {
        let (sender, feeds) = mpsc::unbounded_channel();
        let world = Arc::new(World::new(feed.then_some(sender), reattestable));
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(serve(world.clone(), listener));
        Self { world, port, feeds, folder, task }
    }

    /// The next subscription.
    pub async fn subscription(&mut self) -> Subscription {
        let next = tokio::time::timeout(Duration::from_secs(10), self.feeds.recv());
        next.await.expect("the agent subscribes").unwrap()
    }

    pub fn bundle(&self) -> PathBuf {
        let path = self.folder.path().join("bundle.pem");
        std::fs::write(&path, self.world.bundle.load().to_pem()).unwrap();
        path
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Connected(tokio_rustls::server::TlsStream<tokio::net::TcpStream>);

impl tonic::transport::server::Connected for Connected {
    type ConnectInfo = ();
    fn connect_info(&self) {}
}

impl tokio::io::AsyncRead for Connected {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl tokio::io::AsyncWrite for Connected {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

async fn serve(world: Arc<World>, listener: TcpListener) {
    let now = Arc::new(SystemTime::now);
    let mut tls =
        spiffe_tls::server_config(world.identity.clone(), world.trust.clone(), ClientAuth::Request, now)
            .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let incoming = futures_util::stream::unfold(listener, move |listener| {
        let acceptor = acceptor.clone();
        async move {
            let (stream, _): (_, SocketAddr) = listener.accept().await.unwrap();
            let accepted = acceptor.accept(stream).await.map(Connected);
            Some((accepted, listener))
        }
    });
    let incoming = incoming.filter(|one| std::future::ready(one.is_ok()));
    tonic::transport::Server::builder()
        .add_service(Agents(world.clone()))
        .add_service(Bundles(world.clone()))
        .add_service(Entries(world.clone()))
        .add_service(Svids(world.clone()))
        .add_service(Feeds(world))
        .serve_with_incoming(incoming)
        .await
        .unwrap();
}

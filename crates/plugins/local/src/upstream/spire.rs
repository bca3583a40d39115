//! `UpstreamAuthority "spire"`: a server of the same trust domain that stands above, spoken to with the X.509-SVID that
//! an agent of that server gives to this one (its entry has `-downstream`).

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use hyper_util::rt::TokioIo;
use model::UnixTime;
use model::ports::{MintedCa, UpstreamAuthority, UpstreamError};
use proto::spire::api::server::bundle::v1::bundle_client::BundleClient;
use proto::spire::api::server::bundle::v1::{GetBundleRequest, PublishJwtAuthorityRequest};
use proto::spire::api::server::svid::v1::NewDownstreamX509caRequest;
use proto::spire::api::server::svid::v1::svid_client::SvidClient;
use proto::spire::api::types;
use rustls_pki_types::ServerName;
use spiffe::bundle::{Bundle, JwtAuthority, X509Authority};
use spiffe::key::{PrivateKey, PublicKey};
use spiffe::x509::{Certificate, X509Svid};
use spiffe::{BundleSet, SpiffeId, TrustDomain};
use spiffe_tls::{Authorize, BundleHandle, Identity, IdentitySource, Now, client_config};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Status};
use tower::Service;
use zeroize::Zeroizing;

use crate::workload_api::WorkloadApi;

/// How long one call may take, connecting included.
const PATIENCE: Duration = Duration::from_secs(15);
/// The largest bundle that is taken.
const MAX_ANSWER: usize = 64 << 20;
const SERVER_PATH: &str = "/spire/server";

/// Where the server above is, and where to get an identity for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The Workload API's socket, as a path.
    pub workload_api_socket: String,
}

/// A server above. It is asked with a fresh SVID each time, so a rotation there is never missed.
pub struct Spire {
    trust_domain: TrustDomain,
    server: SpiffeId,
    settings: Settings,
    agent: WorkloadApi,
    now: Now,
    last: Mutex<Option<Session>>,
}

/// A connection, and until when the SVID that it was opened with is fit for it.
#[derive(Clone)]
struct Session {
    channel: Channel,
    renew_at: SystemTime,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpireError {
    /// The trust domain gives no server's ID.
    #[error("the ID of the upstream server cannot be made: {0}")]
    Id(#[from] spiffe::IdError),
    /// The socket's path is none.
    #[error("workload_api_socket {0:?} is not the absolute path of a socket")]
    Socket(String),
}

impl Spire {
    /// The server of `trust_domain` above this one. Nothing is connected yet.
    pub fn new(trust_domain: TrustDomain, settings: Settings, now: Now) -> Result<Self, SpireError> {
        let server = SpiffeId::new(&trust_domain, SERVER_PATH)?;
        let agent = WorkloadApi::at(&format!("unix://{}", settings.workload_api_socket))
            .map_err(|_| SpireError::Socket(settings.workload_api_socket.clone()))?;
        Ok(Self { trust_domain, server, settings, agent, now, last: Mutex::new(None) })
    }

    /// A connection with an SVID that is less than half through.
    async fn channel(&self) -> Result<Channel, UpstreamError> {
        let now = (self.now)();
        let held = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(session) = held.filter(|session| now < session.renew_at) {
            return Ok(session.channel);
        }
        let session = self.open(now).await?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.clone());
        Ok(session.channel)
    }

    async fn open(&self, now: SystemTime) -> Result<Session, UpstreamError> {
        let given = self.agent.identity().await.map_err(|why| {
            UpstreamError::Unavailable(format!(
                "the agent at {} gives no SVID for it: {} ({}); this server needs an entry with -downstream there",
                self.settings.workload_api_socket,
                why.message(),
                why.code()
            ))
        })?;
        let answer = |why: &dyn fmt::Display| UpstreamError::Answer(format!("the SVID of the agent: {why}"));
        let svid = X509Svid::parse_concatenated(&given.x509_svid).map_err(|e| answer(&e))?;
        let pkcs8 = Zeroizing::new(given.x509_svid_key);
        let key = PrivateKey::from_pkcs8(&pkcs8).map_err(|e| answer(&e))?;
        let bundle = Bundle::parse_x509_concatenated(self.trust_domain.clone(), &given.bundle)
            .map_err(|e| answer(&e))?;
        let left = svid.leaf().not_after().duration_since(now).unwrap_or_default();
        let identity = IdentitySource::new();
        identity.set(Identity::new(svid, Arc::new(key)).map_err(|e| answer(&e))?);
        let set: BundleSet = std::iter::once(Arc::new(bundle)).collect();
        let bundles: BundleHandle = Arc::new(arc_swap::ArcSwap::from_pointee(set));
        let whom = Authorize::Id(self.server.clone());
        let mut tls =
            client_config(Some(identity), bundles, whom, self.now.clone()).map_err(|e| answer(&e))?;
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let dial = Dial {
            host: self.settings.host.clone(),
            port: self.settings.port,
            tls: TlsConnector::from(Arc::new(tls)),
        };
        // Bounded, so that a root which the server above has changed to is soon known.
        let renew_at = now + (left / 2).min(Duration::from_secs(60));
        Ok(Session { channel: dial.channel(), renew_at })
    }

    /// What a call gave; a connection that failed is not used again.
    fn judge<T>(&self, done: Result<tonic::Response<T>, Status>) -> Result<T, UpstreamError> {
        done.map(tonic::Response::into_inner).map_err(|status| {
            let text = format!("{} ({})", with_causes(&status), status.code());
            match status.code() {
                Code::PermissionDenied | Code::InvalidArgument | Code::Unimplemented => {
                    self.forget();
                    UpstreamError::Refused(text)
                }
                _ => {
                    self.forget();
                    UpstreamError::Unavailable(text)
                }
            }
        })
    }

    fn forget(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn fetch(&self) -> Result<Bundle, UpstreamError> {
        let mut client = BundleClient::new(self.channel().await?).max_decoding_message_size(MAX_ANSWER);
        let wire = self.judge(client.get_bundle(GetBundleRequest { output_mask: None }).await)?;
        bundle_of(&self.trust_domain, &wire)
    }

    async fn sign(&self, csr: Vec<u8>, ttl: Duration) -> Result<MintedCa, UpstreamError> {
        let preferred_ttl = i32::try_from(ttl.as_secs()).unwrap_or(i32::MAX);
        let mut client = SvidClient::new(self.channel().await?);
        let request = NewDownstreamX509caRequest { csr, preferred_ttl };
        let answer = self.judge(client.new_downstream_x509ca(request).await)?;
        let parse = |der: Vec<u8>| Certificate::parse(der).map_err(|e| UpstreamError::Answer(e.to_string()));
        let chain = answer.ca_cert_chain.into_iter().map(parse).collect::<Result<_, _>>()?;
        // The answer's own roots do not say which are tainted.
        Ok(MintedCa { chain, roots: self.fetch().await? })
    }

    async fn publish(&self, key: &JwtAuthority) -> Result<(), UpstreamError> {
        let wire = types::JwtKey {
            public_key: key.public_key.spki_der().to_vec(),
            key_id: key.key_id.clone(),
            expires_at: key.expires_at.map_or(0, |at| UnixTime::of(at).0),
            tainted: false,
        };
        let mut client = BundleClient::new(self.channel().await?).max_decoding_message_size(MAX_ANSWER);
        let request = PublishJwtAuthorityRequest { jwt_authority: Some(wire) };
        self.judge(client.publish_jwt_authority(request).await).map(|_| ())
    }

    async fn patiently<T>(
        &self,
        call: impl Future<Output = Result<T, UpstreamError>> + Send,
    ) -> Result<T, UpstreamError> {
        let done = tokio::time::timeout(PATIENCE, call).await;
        done.unwrap_or_else(|_| {
            self.forget();
            let (host, port) = (&self.settings.host, self.settings.port);
            Err(UpstreamError::Unavailable(format!("{host}:{port} does not answer within {PATIENCE:?}")))
        })
    }
}

/// What can be used of a bundle off the wire.
fn bundle_of(trust_domain: &TrustDomain, wire: &types::Bundle) -> Result<Bundle, UpstreamError> {
    let answer = |why: &dyn fmt::Display| UpstreamError::Answer(why.to_string());
    let mut bundle = Bundle::new(trust_domain.clone());
    for one in &wire.x509_authorities {
        let certificate = Certificate::parse(one.asn1.clone()).map_err(|e| answer(&e))?;
        bundle.push_x509(X509Authority { certificate, tainted: one.tainted }).map_err(|e| answer(&e))?;
    }
    for one in &wire.jwt_authorities {
        // A kind of key that is not known here verifies nothing here.
        let Ok(public_key) = PublicKey::from_spki_der(&one.public_key) else { continue };
        let expires_at = UnixTime::from_wire(one.expires_at).map(UnixTime::system_time);
        let key = JwtAuthority { key_id: one.key_id.clone(), public_key, expires_at, tainted: one.tainted };
        bundle.push_jwt(key).map_err(|e| answer(&e))?;
    }
    bundle.sequence = wire.sequence_number;
    Ok(bundle)
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

#[async_trait]
impl UpstreamAuthority for Spire {
    fn name(&self) -> &'static str {
        "spire"
    }

    async fn mint(&self, csr: Vec<u8>, ttl: Duration, _: SystemTime) -> Result<MintedCa, UpstreamError> {
        self.patiently(self.sign(csr, ttl)).await
    }

    async fn publish_jwt(&self, key: &JwtAuthority) -> Result<bool, UpstreamError> {
        self.patiently(self.publish(key)).await.map(|()| true)
    }

    async fn bundle(&self) -> Result<Option<Bundle>, UpstreamError> {
        self.patiently(self.fetch()).await.map(Some)
    }
}

/// Opens connections to the server above.
#[derive(Clone)]
struct Dial {
    host: String,
    port: u16,
    tls: TlsConnector,
}

impl Dial {
    fn channel(self) -> Channel {
        // The connector knows where to go and does TLS; tonic wants a name all the same.
        Endpoint::from_static("http://spire-server").connect_with_connector_lazy(self)
    }

    async fn open(self) -> io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
        tcp.set_nodelay(true)?;
        // Not sent and not verified: SPIFFE verifies the identity instead.
        let name = ServerName::try_from("spire-server").map_err(io::Error::other)?;
        self.tls.connect(name, tcp).await
    }
}

impl Service<Uri> for Dial {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let dial = self.clone();
        Box::pin(async move { dial.open().await.map(TokioIo::new) })
    }
}

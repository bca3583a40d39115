//! Opening a connection: name, TCP, TLS.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustix::net::sockopt;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};
use tower_service::Service;

use crate::jitter;

const CONNECT: Duration = Duration::from_secs(10);
/// A peer that is silent this long is asked by TCP whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Why no connection was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialFault {
    #[error("{address} cannot be resolved: {cause}; check server_address and the name service")]
    Resolve { address: Address, cause: io::Error },
    #[error(
        "no connection to {address}: {cause}; check that the server runs and that server_address and server_port are right"
    )]
    Connect { address: Address, cause: io::Error },
    #[error(
        "no connection to {address} within 10 seconds; check that the server runs and that nothing in between drops packets"
    )]
    Slow { address: Address },
    #[error("TLS with {address} failed: {cause}")]
    Tls { address: Address, cause: Said },
}

/// An I/O error with all its causes in its text.
#[derive(Debug)]
pub(crate) struct Said(io::Error);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.0.get_ref();
        match inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other))) => {
                write!(f, "{other}")?;
                let mut cause = std::error::Error::source(&*other.0);
                while let Some(inner) = cause {
                    write!(f, ": {inner}")?;
                    cause = inner.source();
                }
                f.write_str("; if the server is the right one, give the agent a current bundle (`bundle show` on the server)")
            }
            Some(rustls::Error::InvalidCertificate(fault)) if of_time(fault) => {
                write!(f, "{}; compare the clocks of this node and of the server", self.0)
            }
            _ => write!(f, "{}", self.0),
        }
    }
}

/// Whether a certificate is not valid now, but was or will be.
fn of_time(fault: &rustls::CertificateError) -> bool {
    use rustls::CertificateError as Fault;
    matches!(
        fault,
        Fault::Expired | Fault::ExpiredContext { .. } | Fault::NotValidYet | Fault::NotValidYetContext { .. }
    )
}

/// Opens connections to one server.
#[derive(Clone)]
pub(crate) struct Dial {
    address: Address,
    tls: TlsConnector,
}

impl Dial {
    /// With this configuration, to which ALPN is added.
    pub(crate) fn new(address: Address, mut config: ClientConfig) -> Self {
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self { address, tls: TlsConnector::from(Arc::new(config)) }
    }

    /// A channel that connects when it is used, and again whenever it must.
    pub(crate) fn channel(self) -> Channel {
        // The scheme tells tonic that TLS is not its business; the origin is what goes over the wire.
        let origin =
            Uri::builder().scheme("https").authority(self.address.to_string()).path_and_query("/").build();
        let endpoint = Endpoint::from_static("http://spire-server").http2_adaptive_window(true);
        let endpoint = match origin {
            Ok(origin) => endpoint.origin(origin),
            Err(_) => endpoint,
        };
        endpoint.connect_with_connector_lazy(self)
    }

    async fn open(self) -> Result<TlsStream<TcpStream>, DialFault> {
        let address = self.address.clone();
        match tokio::time::timeout(CONNECT, self.open_unbounded()).await {
            Ok(opened) => opened,
            Err(_) => Err(DialFault::Slow { address }),
        }
    }

    async fn open_unbounded(self) -> Result<TlsStream<TcpStream>, DialFault> {
        let tcp = self.tcp().await?;
        let address = self.address;
        // Not sent and not verified: SPIFFE verifies the identity instead.
        let name = ServerName::try_from(address.host.clone())
            .or_else(|_| ServerName::try_from("spire-server".to_owned()))
            .expect("the name is well-formed");
        self.tls.connect(name, tcp).await.map_err(|cause| DialFault::Tls { address, cause: Said(cause) })
    }

    /// Tries the addresses of the name in turn, from any of them on, so that a fleet spreads.
    async fn tcp(&self) -> Result<TcpStream, DialFault> {
        let address = || self.address.clone();
        let found = tokio::net::lookup_host((self.address.host.as_str(), self.address.port)).await;
        let mut found: Vec<_> =
            found.map_err(|cause| DialFault::Resolve { address: address(), cause })?.collect();
        let count = found.len();
        found.rotate_left(((jitter::fraction() * count as f64) as usize).min(count));
        let mut last = io::Error::other("the name has no address");
        for one in found {
            match TcpStream::connect(one).await {
                Ok(tcp) => return Ok(tuned(tcp)),
                Err(cause) => last = cause,
            }
        }
        Err(DialFault::Connect { address: address(), cause: last })
    }
}

/// Small messages go at once, and a peer that vanished is noticed. What the system does not allow is done without.
fn tuned(tcp: TcpStream) -> TcpStream {
    let _ = tcp.set_nodelay(true);
    let _ = sockopt::set_socket_keepalive(&tcp, true);
    let _ = sockopt::set_tcp_keepidle(&tcp, KEEPALIVE);
    let _ = sockopt::set_tcp_keepintvl(&tcp, KEEPALIVE / 4);
    let _ = sockopt::set_tcp_user_timeout(&tcp, 2_000 * u32::try_from(KEEPALIVE.as_secs()).unwrap_or(20));
    tcp
}

impl Service<Uri> for Dial {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = DialFault;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialFault>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialFault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let dial = self.clone();
        Box::pin(async move { dial.open().await.map(TokioIo::new) })
    }
}

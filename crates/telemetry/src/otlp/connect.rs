//! The way to a collector.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

/// How long a connection, and a handshake on it, may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the next handshake is made with, if there can be one yet.
pub type Connector = Arc<dyn Fn() -> Option<Arc<rustls::ClientConfig>> + Send + Sync>;

/// A collector that speaks OTLP over gRPC.
#[derive(Clone)]
pub struct Collector {
    /// `host:port`
    pub address: String,
    /// TLS, if it is to be used.
    pub tls: Option<Connector>,
}

/// The address is none.
#[derive(Debug, thiserror::Error)]
#[error(
    "telemetry.OTLP: \"{address}\" is no address of a collector; write a host and a port, as in \"localhost:4317\""
)]
pub struct NoAddress {
    address: String,
    #[source]
    cause: tonic::transport::Error,
}

impl Collector {
    /// Looks at the address.
    ///
    /// # Errors
    /// If it is none.
    pub fn check(&self) -> Result<(), NoAddress> {
        self.endpoint().map(drop)
    }

    fn endpoint(&self) -> Result<Endpoint, NoAddress> {
        Endpoint::from_shared(format!("http://{}", self.address))
            .map_err(|cause| NoAddress { address: self.address.clone(), cause })
    }

    /// A connection that is opened when it is first used, and again when it broke.
    ///
    /// # Errors
    /// If the address is none.
    pub(super) fn channel(&self) -> Result<Channel, NoAddress> {
        let endpoint = self
            .endpoint()?
            .connect_timeout(PATIENCE)
            .http2_keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(10));
        let Some(tls) = self.tls.clone() else { return Ok(endpoint.connect_lazy()) };
        let host = self.address.rsplit_once(':').map_or(self.address.as_str(), |(host, _)| host).to_owned();
        let connect = tower::service_fn(move |uri: Uri| {
            let (tls, host) = (tls.clone(), host.clone());
            async move {
                match tokio::time::timeout(PATIENCE, secured(&tls, host, &uri)).await {
                    Ok(connected) => connected,
                    Err(_) => Err(io::ErrorKind::TimedOut.into()),
                }
            }
        });
        Ok(endpoint.connect_with_connector_lazy(connect))
    }
}

async fn secured(
    tls: &Connector,
    host: String,
    uri: &Uri,
) -> io::Result<TokioIo<tokio_rustls::client::TlsStream<TcpStream>>> {
    let config = tls()
        .ok_or_else(|| io::Error::other("there is no identity to show, or no bundle to judge by, yet"))?;
    let address = uri.authority().map_or("", |authority| authority.as_str());
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(io::Error::other)?;
    Ok(TokioIo::new(TlsConnector::from(config).connect(name, stream).await?))
}

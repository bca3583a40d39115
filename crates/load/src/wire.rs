//! Connections: to Unix sockets, and by TLS as the agent that a run plays.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use spiffe::SpiffeId;
use spiffe_tls::{Authorize, BundleHandle, IdentitySource};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::fault::Fault;

/// A channel to a Unix socket.
pub(crate) async fn unix(path: &Path) -> Result<Channel, Fault> {
    let socket = path.to_owned();
    let connector = tower::service_fn(move |_: Uri| {
        let socket = socket.clone();
        async move { Ok::<_, io::Error>(TokioIo::new(UnixStream::connect(socket).await?)) }
    });
    let place = || path.display().to_string();
    Endpoint::from_static("http://localhost")
        .connect_with_connector(connector)
        .await
        .map_err(|cause| Fault::Connect { place: place(), cause })
}

/// A channel to a server by TLS, with the identity if there is one.
pub(crate) async fn tls(
    address: SocketAddr,
    server: SpiffeId,
    bundles: BundleHandle,
    identity: Option<Arc<IdentitySource>>,
) -> Result<Channel, Fault> {
    let clock = kit::clock::Clock::system();
    let now = Arc::new(move || clock.now());
    let mut config = spiffe_tls::client_config(identity, bundles, Authorize::Id(server), now)
        .map_err(Fault::credentials)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let connector = tower::service_fn(move |_: Uri| {
        let connector = connector.clone();
        async move {
            let tcp = TcpStream::connect(address).await?;
            tcp.set_nodelay(true)?;
            // Neither sent nor looked at: it is the SPIFFE ID that counts.
            let name = ServerName::from(address.ip());
            Ok::<_, io::Error>(TokioIo::new(connector.connect(name, tcp).await?))
        }
    });
    Endpoint::from_static("http://localhost")
        .http2_adaptive_window(true)
        .connect_with_connector(connector)
        .await
        .map_err(|cause| Fault::Connect { place: address.to_string(), cause })
}

/// The address, if load may be put on it.
pub(crate) async fn address(text: &str, allow_remote: bool) -> Result<SocketAddr, Fault> {
    let unusable =
        |why: String| Fault::Usage(format!("-serverAddress {text:?}: {why}; write it as in 127.0.0.1:8081"));
    let found = tokio::net::lookup_host(text).await.map_err(|e| unusable(e.to_string()))?.next();
    let address = found.ok_or_else(|| unusable("the name has no address".to_owned()))?;
    match address.ip().is_loopback() || allow_remote {
        true => Ok(address),
        false => Err(Fault::Remote(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn other_machines_are_spared_unless_asked_for() {
        assert!(address("127.0.0.1:8081", false).await.is_ok());
        assert!(matches!(address("192.0.2.1:8081", false).await, Err(Fault::Remote(_))));
        assert!(address("192.0.2.1:8081", true).await.is_ok());
        assert!(matches!(address("127.0.0.1", false).await, Err(Fault::Usage(_))));
    }
}

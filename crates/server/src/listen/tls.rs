//! Connections of the TLS port. A client may show a certificate; one that does not verify ends the handshake.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use kit::cidr::Cidr;
use rustls_pki_types::CertificateDer;
use spiffe::x509::VerifiedSvid;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Connected;

use crate::authz::Peer;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How many handshakes may be under way at once; more wait in the kernel's queue.
const HANDSHAKES: usize = 1024;

/// Turns a certificate chain that passed the handshake into the identity it proves.
pub(crate) type Identify = Arc<dyn Fn(&[CertificateDer<'static>]) -> Option<VerifiedSvid> + Send + Sync>;

/// A TLS client.
pub(crate) struct TlsConnection {
    stream: Box<TlsStream<TcpStream>>,
    peer: Arc<Peer>,
}

/// The connections of the TLS port, after their handshakes. Those run beside each other: a slow one holds up nobody.
pub(crate) fn accept_tls(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    identify: Identify,
    trusted: Arc<[Cidr]>,
    stop: CancellationToken,
) -> impl Stream<Item = io::Result<TlsConnection>> {
    let (ready, connections) = mpsc::channel(64);
    tokio::spawn(async move {
        let room = Arc::new(Semaphore::new(HANDSHAKES));
        loop {
            let (stream, addr) = tokio::select! {
                accepted = super::accept("TLS port", || listener.accept()) => accepted,
                () = stop.cancelled() => return,
            };
            let Ok(permit) = room.clone().acquire_owned().await else { return };
            let (acceptor, identify, ready) = (acceptor.clone(), identify.clone(), ready.clone());
            let trusted = trusted.clone();
            tokio::spawn(async move {
                let begun = handshake(stream, addr, &trusted, &acceptor, &identify);
                match tokio::time::timeout(HANDSHAKE, begun).await {
                    Ok(Ok(connection)) => {
                        let _ = ready.send(Ok(connection)).await;
                    }
                    Ok(Err(error)) => {
                        tracing::debug!(address = %addr, error = %error, "TLS handshake failed")
                    }
                    Err(_) => tracing::debug!(address = %addr, "TLS handshake took too long"),
                }
                drop(permit);
            });
        }
    });
    tokio_stream::wrappers::ReceiverStream::new(connections)
}

async fn handshake(
    mut stream: TcpStream,
    peer: SocketAddr,
    trusted: &[Cidr],
    acceptor: &TlsAcceptor,
    identify: &Identify,
) -> io::Result<TlsConnection> {
    stream.set_nodelay(true)?;
    let addr = super::proxy::client(&mut stream, peer, trusted).await?;
    let stream = acceptor.accept(stream).await?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let svid = match chain.is_empty() {
        true => None,
        false => Some(
            identify(chain).ok_or_else(|| io::Error::other("the client's certificate proves no identity"))?,
        ),
    };
    Ok(TlsConnection { stream: Box::new(stream), peer: Arc::new(Peer::Remote { addr, svid }) })
}

impl Connected for TlsConnection {
    type ConnectInfo = Arc<Peer>;
    fn connect_info(&self) -> Self::ConnectInfo {
        self.peer.clone()
    }
}

impl AsyncRead for TlsConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for TlsConnection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

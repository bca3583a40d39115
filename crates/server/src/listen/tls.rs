//! Connections of the TLS port. A client may show a certificate; one that does not verify ends the handshake.

use std::collections::VecDeque;
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
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Connected;

use crate::authz::Peer;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How many handshakes may be under way at once; more wait in the kernel's queue.
const HANDSHAKES: usize = 1024;
/// How long a handshake goes on undisturbed when that many are under way. Then the oldest makes room: who connects and
/// says nothing keeps nobody out.
const UNDISTURBED: Duration = Duration::from_millis(500);

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
        let mut room = Room::new(HANDSHAKES);
        loop {
            let (stream, addr) = tokio::select! {
                accepted = super::accept("TLS port", || listener.accept()) => accepted,
                () = stop.cancelled() => return,
            };
            let Some(permit) = room.enter().await else { return };
            let (acceptor, identify, ready) = (acceptor.clone(), identify.clone(), ready.clone());
            let trusted = trusted.clone();
            let task = tokio::spawn(async move {
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
            room.under_way(task.abort_handle());
        }
    });
    tokio_stream::wrappers::ReceiverStream::new(connections)
}

/// The handshakes under way, the oldest first.
struct Room {
    places: Arc<Semaphore>,
    under_way: VecDeque<(Instant, AbortHandle)>,
}

impl Room {
    fn new(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), under_way: VecDeque::new() }
    }

    /// A place for one more, if need be that of the oldest.
    async fn enter(&mut self) -> Option<OwnedSemaphorePermit> {
        loop {
            while self.under_way.front().is_some_and(|(_, task)| task.is_finished()) {
                self.under_way.pop_front();
            }
            let places = self.places.clone();
            let Some((begun, _)) = self.under_way.front() else { return places.acquire_owned().await.ok() };
            let spared = tokio::time::sleep_until(*begun + UNDISTURBED);
            tokio::select! {
                biased;
                place = places.acquire_owned() => return place.ok(),
                () = spared => {
                    if let Some((_, oldest)) = self.under_way.pop_front() {
                        tracing::debug!("A TLS handshake that takes long makes room for others");
                        oldest.abort();
                    }
                }
            }
        }
    }

    fn under_way(&mut self, task: AbortHandle) {
        self.under_way.push_back((Instant::now(), task));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn handshakes_that_say_nothing_keep_nobody_out() {
        let mut room = Room::new(3);
        let start = Instant::now();
        let mut silent = Vec::new();
        for _ in 0..12 {
            let place = room.enter().await.unwrap();
            let task = tokio::spawn(async move {
                let _place = place;
                std::future::pending::<()>().await;
            });
            room.under_way(task.abort_handle());
            silent.push(task);
        }
        assert!(start.elapsed() <= UNDISTURBED * 3, "{:?}", start.elapsed());
        tokio::task::yield_now().await;
        assert_eq!(silent.iter().filter(|task| !task.is_finished()).count(), 3, "the places are kept to");
    }

    #[tokio::test(start_paused = true)]
    async fn handshakes_that_go_on_are_left_alone() {
        let mut room = Room::new(3);
        let mut done = Vec::new();
        for _ in 0..12 {
            let place = room.enter().await.unwrap();
            let task = tokio::spawn(async move {
                tokio::time::sleep(UNDISTURBED / 2).await;
                drop(place);
            });
            room.under_way(task.abort_handle());
            done.push(task);
        }
        for task in done {
            task.await.expect("it was not ended");
        }
    }
}

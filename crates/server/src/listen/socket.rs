//! Connections of the admin socket. Whoever can open it is an administrator: its mode is the check.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tonic::transport::server::Connected;

use crate::authz::Peer;

/// A process at the admin socket.
pub struct SocketConnection {
    stream: UnixStream,
    peer: Arc<Peer>,
}

/// The connections of the admin socket.
pub fn accept_socket(listener: UnixListener) -> impl Stream<Item = io::Result<SocketConnection>> {
    futures_util::stream::unfold(listener, |listener| async move {
        let (stream, _) = super::accept("admin socket", || listener.accept()).await;
        let peer = match stream.peer_cred() {
            Ok(cred) => Peer::Local { uid: cred.uid(), gid: cred.gid(), pid: cred.pid() },
            Err(error) => return Some((Err(error), listener)),
        };
        Some((Ok(SocketConnection { stream, peer: Arc::new(peer) }), listener))
    })
}

impl Connected for SocketConnection {
    type ConnectInfo = Arc<Peer>;
    fn connect_info(&self) -> Self::ConnectInfo {
        self.peer.clone()
    }
}

impl AsyncRead for SocketConnection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for SocketConnection {
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

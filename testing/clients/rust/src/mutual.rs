//! Mutual TLS with whatever SVID and bundle the Workload API has shown last.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use serde_json::json;
use spiffe_client::X509Source;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::tally::{Peer, Tally};
use crate::{Failure, show, tls};

const PACE: Duration = Duration::from_millis(50);
const EXCHANGE: Duration = Duration::from_secs(5);

/// Answers each line with the same line, until standard input ends.
pub(crate) async fn serve(port: u16, peer: &str) -> Result<(), Failure> {
    let source = X509Source::new().await?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    show(&json!({ "listening": listener.local_addr()?.port() }));

    let tally = Arc::new(Tally::default());
    let mut open = JoinSet::new();
    let mut input_ends = std::pin::pin!(input_ends());
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                let (source, peer, tally) = (source.clone(), peer.to_owned(), Arc::clone(&tally));
                open.spawn(async move { tally.count(within(answer(&source, &peer, stream)).await) });
            }
            () = &mut input_ends => break,
        }
    }
    open.join_all().await;
    source.shutdown().await;
    tally.finish()
}

/// A thread, since a read of standard input cannot be cancelled.
async fn input_ends() {
    let (ended, waiting) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = waiting.await;
}

async fn answer(source: &X509Source, peer: &str, stream: TcpStream) -> Result<Peer, Failure> {
    let acceptor = TlsAcceptor::from(tls::server(source)?);
    let mut tls = acceptor.accept(stream).await.map_err(|cause| format!("handshake: {cause}"))?;
    let peer = Peer::of(tls.get_ref().1.peer_certificates(), peer)?;
    let mut line = String::new();
    BufReader::new(&mut tls).read_line(&mut line).await.map_err(|cause| format!("read: {cause}"))?;
    tls.write_all(line.as_bytes()).await.map_err(|cause| format!("write: {cause}"))?;
    tls.shutdown().await.map_err(|cause| format!("close: {cause}"))?;
    Ok(peer)
}

/// Opens a fresh connection each time, so that each handshake shows the SVID and bundle of the moment.
pub(crate) async fn dial(port: u16, peer: &str, limit: Duration) -> Result<(), Failure> {
    let source = X509Source::new().await?;
    let tally = Tally::default();
    let mut ticks = tokio::time::interval(PACE);
    let end = tokio::time::Instant::now() + limit;
    while ticks.tick().await < end {
        tally.count(within(request(&source, peer, port)).await);
    }
    source.shutdown().await;
    tally.finish()
}

async fn request(source: &X509Source, peer: &str, port: u16) -> Result<Peer, Failure> {
    let connector = TlsConnector::from(tls::client(source)?);
    let stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(|cause| format!("dial: {cause}"))?;
    let name = ServerName::try_from("peer.invalid")?;
    let mut tls = connector.connect(name, stream).await.map_err(|cause| format!("handshake: {cause}"))?;
    let peer = Peer::of(tls.get_ref().1.peer_certificates(), peer)?;
    tls.write_all(b"hello\n").await.map_err(|cause| format!("write: {cause}"))?;
    let mut line = [0; 6];
    tls.read_exact(&mut line).await.map_err(|cause| format!("read: {cause}"))?;
    if &line != b"hello\n" {
        return Err(format!("the answer was {line:?}").into());
    }
    let _ = tls.shutdown().await;
    Ok(peer)
}

async fn within(exchange: impl Future<Output = Result<Peer, Failure>>) -> Result<Peer, Failure> {
    tokio::time::timeout(EXCHANGE, exchange).await.map_err(|_| "no answer within five seconds")?
}

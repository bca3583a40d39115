//! Callers who connect and say nothing, open calls and send nothing, or ask much and read nothing: nobody else waits for
//! them, and what they cost in memory is bounded.

use std::io;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use harness::{Domain, Options};
use hyper_util::rt::TokioIo;
use proto::spire::api::server::bundle::v1::GetBundleRequest;
use proto::spire::api::server::bundle::v1::bundle_client::BundleClient;
use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::spire::api::server::entry::v1::{BatchCreateEntryRequest, GetAuthorizedEntriesRequest};
use proto::spire::api::types;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::measure::{median, resident, timed};
use super::peers::Node;
use super::wire::{Raw, Shown, connector, over_socket, over_tls};

/// More than handshakes may be under way.
const HALF_OPEN: usize = 1500;
/// Connections with as many silent calls each as one may have, and more.
const CONNECTIONS: usize = 6;
const CALLS: usize = 400;
/// What an agent who does not read asks for.
const ENTRIES: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_nothing_and_who_reads_nothing_holds_up_nobody() {
    let rate = "ratelimit { attestation = false  signing = false }";
    let mut domain = Domain::start_server(Options::default().server_line(rate));
    let (port, pid) = (domain.port(), domain.server().process().id());
    let node = Node::join(&domain).await;
    fill(&domain, &node).await;

    let honest = over_tls(port, None);
    let (calm, _) = as_others_see_it(&honest, port).await;
    let before = resident(pid);

    let half_open = half_open(port).await;
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let channel = over_tls(port, None);
        for call in 0..CALLS {
            let channel = channel.clone();
            let method = match call % 2 {
                0 => "/spire.api.server.agent.v1.Agent/AttestAgent",
                _ => "/spire.api.server.bundle.v1.Bundle/GetBundle",
            };
            tasks.push(tokio::spawn(async move {
                let _ = silent(channel, method).await;
            }));
        }
    }
    let deaf = deaf(port, node.shown.clone());
    for _ in 0..CALLS {
        let mut entries = EntryClient::new(deaf.clone());
        tasks.push(tokio::spawn(async move {
            let _ = entries.get_authorized_entries(GetAuthorizedEntriesRequest::default()).await;
        }));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;

    let (pressed, slowest) = as_others_see_it(&honest, port).await;
    let grown = resident(pid).saturating_sub(before);
    println!(
        "a call and a new connection: {calm:?} alone, {pressed:?} beside them, {slowest:?} at the most; memory grew by {grown} bytes"
    );
    assert!(pressed < calm * 5 + Duration::from_millis(150), "{pressed:?} instead of {calm:?}");
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    assert!(grown < 200 << 20, "the server grew by {grown} bytes");
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    drop(half_open);
}

/// A call of which no byte of the request ever comes.
async fn silent(channel: Channel, method: &'static str) -> Result<(), Status> {
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.map_err(|e| Status::unknown(e.to_string()))?;
    let request = Request::new(tokio_stream::pending::<Vec<u8>>());
    let mut answers = grpc.streaming(request, method.parse().unwrap(), Raw).await?.into_inner();
    answers.message().await.map(|_| ())
}

/// How long others wait, typically and at the most: a call over a connection that is there, and one over a new one.
async fn as_others_see_it(honest: &Channel, port: u16) -> (Duration, Duration) {
    let mut times = Vec::new();
    for _ in 0..40 {
        let (answers, time) = timed(async {
            let over_old = BundleClient::new(honest.clone()).get_bundle(GetBundleRequest::default()).await;
            let over_new =
                BundleClient::new(over_tls(port, None)).get_bundle(GetBundleRequest::default()).await;
            over_old.and(over_new)
        })
        .await;
        answers.unwrap();
        times.push(time);
    }
    let slowest = times.iter().max().copied().unwrap_or_default();
    (median(&mut times), slowest)
}

/// Gives the node its entries.
async fn fill(domain: &Domain, node: &Node) {
    let entry = |number: usize| types::Entry {
        spiffe_id: Some(types::Spiffeid { trust_domain: "example.org".into(), path: format!("/a/{number}") }),
        parent_id: Some(node.id.clone()),
        selectors: vec![types::Selector { r#type: "unix".into(), value: "uid:1".into() }],
        ..types::Entry::default()
    };
    let request = BatchCreateEntryRequest { entries: (0..ENTRIES).map(entry).collect(), output_mask: None };
    let mut entries = EntryClient::new(over_socket(&domain.peek_server().socket()).await);
    entries.batch_create_entry(request).await.unwrap();
    assert_eq!(node.printed(), format!("spiffe://example.org{}", node.id.path));
}

/// Connections on which nothing is ever said.
async fn half_open(port: u16) -> Vec<TcpStream> {
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: most.maximum, maximum: most.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
    let begun = Instant::now();
    let mut connections = Vec::with_capacity(HALF_OPEN);
    for _ in 0..HALF_OPEN {
        let connected = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        match tokio::time::timeout(Duration::from_secs(5), connected).await {
            Ok(stream) => connections.push(stream.unwrap()),
            Err(_) => panic!("{} connections after {:?}, and no more", connections.len(), begun.elapsed()),
        }
    }
    connections
}

/// A connection that stops reading once it is made.
fn deaf(port: u16, shown: Shown) -> Channel {
    let tls = connector(Some(shown));
    Endpoint::from_static("http://localhost").connect_with_connector_lazy(tower::service_fn(move |_| {
        let tls = tls.clone();
        async move {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
            let name = rustls::pki_types::ServerName::try_from("localhost").map_err(io::Error::other)?;
            // Enough for the beginning of HTTP/2.
            let left = 200;
            Ok::<_, io::Error>(TokioIo::new(Deaf { stream: tls.connect(name, stream).await?, left }))
        }
    }))
}

struct Deaf<S> {
    stream: S,
    /// How many more bytes it reads.
    left: usize,
}

impl<S: AsyncRead + Unpin> AsyncRead for Deaf<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.left = self.left.saturating_sub(buffer.filled().len() - before);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Deaf<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

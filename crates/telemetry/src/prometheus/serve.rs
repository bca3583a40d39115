//! The listener that Prometheus fetches from. Nobody at its other end can hold up more than a place in it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::Page;

/// How many connections there may be at once; more wait in the kernel's queue.
const CONNECTIONS: usize = 64;
/// How long a handshake, and the head of a request, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may last; Prometheus opens another.
const LIFE: Duration = Duration::from_secs(600);
/// When to try again to take the port.
const AGAIN: Duration = Duration::from_secs(10);
/// How long to wait after a failed `accept`: running out of descriptors passes, and must not spin.
const PAUSE: Duration = Duration::from_millis(100);

/// What the next handshake is made with, if there can be one yet.
pub type Acceptor = Arc<dyn Fn() -> Option<Arc<rustls::ServerConfig>> + Send + Sync>;

/// Where to listen.
#[derive(Clone)]
pub struct Listen {
    /// A name or an address of this machine.
    pub host: String,
    /// The port.
    pub port: u16,
    /// TLS, if it is to be used.
    pub tls: Option<Acceptor>,
}

/// Serves the page until `stop`. A port that cannot be had is warned of and tried again: it is no reason for the rest of
/// the process not to run.
pub async fn serve(listen: Listen, page: Page, stop: CancellationToken) {
    if listen.host != "localhost" {
        tracing::warn!(
            "The Prometheus endpoint accepts connections from other machines; make sure that only those meant to reach it can"
        );
    }
    tracing::info!(host = listen.host, port = listen.port, "Starting prometheus exporter");
    let upkeep = tokio::spawn(page.clone().upkeep(stop.clone()));
    tokio::select! {
        () = listen_and_answer(&listen, &page) => {}
        () = stop.cancelled() => {}
    }
    let _ = upkeep.await;
}

async fn listen_and_answer(listen: &Listen, page: &Page) {
    let listener = take(listen).await;
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    // What is under way ends with this task.
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(error = %error, "A connection to the Prometheus endpoint could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        while tasks.try_join_next().is_some() {}
        let (tls, page) = (listen.tls.clone(), page.clone());
        tasks.spawn(async move {
            let _ = tokio::time::timeout(LIFE, connection(stream, tls, page)).await;
            drop(permit);
        });
    }
}

async fn take(listen: &Listen) -> TcpListener {
    loop {
        match TcpListener::bind((listen.host.as_str(), listen.port)).await {
            Ok(listener) => return listener,
            Err(error) => tracing::warn!(
                host = listen.host,
                port = listen.port,
                error = %error,
                "Prometheus listener could not be opened; trying again. Check host and port of telemetry.Prometheus, and what else has the port"
            ),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn connection(stream: TcpStream, tls: Option<Acceptor>, page: Page) {
    let Some(tls) = tls else { return answer(stream, page).await };
    let Some(config) = tls() else {
        tracing::debug!("The Prometheus endpoint has no identity to show yet");
        return;
    };
    match tokio::time::timeout(PATIENCE, TlsAcceptor::from(config).accept(stream)).await {
        Ok(Ok(stream)) => answer(stream, page).await,
        Ok(Err(error)) => {
            tracing::debug!(error = %error, "TLS handshake of the Prometheus endpoint failed");
        }
        Err(_) => tracing::debug!("TLS handshake of the Prometheus endpoint took too long"),
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, page: Page) {
    // As SPIRE 1.16: whatever path is asked for.
    let service = service_fn(|_: Request<Incoming>| {
        let response = respond(&page);
        async move { Ok::<_, Infallible>(response) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(error = %error, "A connection to the Prometheus endpoint broke off");
    }
}

fn respond(page: &Page) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(page.text())));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

//! The paths of Go's `net/http/pprof`, on loopback.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use kit::clock::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::cpu::Cpu;
use super::{Fault, dump, threads, why_not};

/// How many connections there may be at once.
const CONNECTIONS: usize = 16;
/// How long the head of a request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long processor time is sampled, unless told otherwise, and at most.
const SECONDS: u64 = 30;
const MOST: u64 = 600;
/// How long to wait after a failed `accept`.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves profiles on this port of loopback until `stop`. A port that cannot be had is warned of.
pub(super) async fn serve(port: u16, clock: &Clock, stop: &CancellationToken) {
    let listener = match TcpListener::bind(("localhost", port)).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(error = %error, port, "Unable to serve profiling server");
            return stop.cancelled().await;
        }
    };
    tracing::info!(port, "Serving profiles on localhost");
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        while tasks.try_join_next().is_some() {}
        match (accepted, room.clone().try_acquire_owned()) {
            (Ok((stream, _)), Ok(permit)) => {
                let clock = clock.clone();
                tasks.spawn(async move {
                    connection(stream, &clock).await;
                    drop(permit);
                });
            }
            // Too many: this one is closed.
            (Ok(_), Err(_)) => {}
            (Err(error), _) => {
                tracing::warn!(error = %error, "A connection to the profiling server could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, clock: &Clock) {
    let service = service_fn(|request: Request<Incoming>| async move {
        let answer = respond(request.uri().path(), request.uri().query().unwrap_or_default(), clock).await;
        Ok::<_, Infallible>(answer)
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(error = %error, "A connection to the profiling server broke off");
    }
}

async fn respond(path: &str, query: &str, clock: &Clock) -> Response<Full<Bytes>> {
    let Some(name) = path.strip_prefix("/debug/pprof/") else {
        return text(StatusCode::NOT_FOUND, "see /debug/pprof/\n".to_owned());
    };
    let people = given(query, "debug").is_some_and(|level| level > 0);
    match name {
        "" => text(StatusCode::OK, index()),
        "cmdline" => text(StatusCode::OK, std::env::args().collect::<Vec<_>>().join("\0")),
        "profile" => {
            let seconds = given(query, "seconds").filter(|seconds| *seconds > 0).unwrap_or(SECONDS);
            profile(name, cpu(Duration::from_secs(seconds.min(MOST)), clock).await)
        }
        "threadcreate" if people => match threads::text() {
            Ok(all) => text(StatusCode::OK, all),
            Err(fault) => failed(&fault),
        },
        "threadcreate" => profile(name, threads::profile(clock.now())),
        other => {
            let why = why_not(other).unwrap_or("there is no profile of this name");
            text(StatusCode::NOT_FOUND, format!("{other}: {why}\n"))
        }
    }
}

async fn cpu(lasting: Duration, clock: &Clock) -> Result<Vec<u8>, Fault> {
    let cpu = Cpu::begin(clock.now())?;
    tokio::time::sleep(lasting).await;
    dump::finish(cpu, clock.now()).await
}

/// A number in a query.
fn given(query: &str, key: &str) -> Option<u64> {
    let found = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == key);
    found.and_then(|(_, value)| value.parse().ok())
}

fn index() -> String {
    let mut text =
        "Profiles of this process, for `go tool pprof http://localhost:PORT/debug/pprof/NAME`:\n\n\
                    profile?seconds=30  where processor time goes\n\
                    threadcreate        the threads, by name (?debug=1 as text)\n\
                    cmdline             the command line\n\n"
            .to_owned();
    for name in ["heap", "allocs", "goroutine", "block", "mutex", "trace", "symbol"] {
        let _ = writeln!(text, "not here: {name}: {}", why_not(name).unwrap_or_default());
    }
    text
}

fn text(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    answer(status, "text/plain; charset=utf-8", text.into())
}

fn failed(fault: &Fault) -> Response<Full<Bytes>> {
    let status = match fault {
        Fault::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Fault::Sampler(_) | Fault::Threads(_) | Fault::Gone => StatusCode::INTERNAL_SERVER_ERROR,
    };
    text(status, format!("{fault}\n"))
}

fn profile(name: &str, made: Result<Vec<u8>, Fault>) -> Response<Full<Bytes>> {
    match made {
        Ok(bytes) => {
            let mut response = answer(StatusCode::OK, "application/octet-stream", bytes.into());
            let file = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
            if let Ok(file) = file {
                response.headers_mut().insert(CONTENT_DISPOSITION, file);
            }
            response
        }
        Err(fault) => failed(&fault),
    }
}

fn answer(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

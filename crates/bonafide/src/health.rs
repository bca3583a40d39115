//! The HTTP health endpoint of both roles (`health_checks`): what each subsystem says of itself, looked at now and then
//! and not for each caller, so that whoever asks often costs nothing.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use config::HealthChecks;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::start::Failure;

/// How often subsystems are looked at until all are well for the first time, and afterwards (SPIRE 1.16).
const FIRST: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(60);
/// How many connections there may be at once; more wait in the kernel's queue.
const CONNECTIONS: usize = 64;

/// How a subsystem is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subsystem {
    /// SPIRE's name for it.
    pub(crate) name: &'static str,
    /// Whether it does what it is there for.
    pub(crate) ready: bool,
    /// Whether it works, or will by itself.
    pub(crate) live: bool,
    /// What it says: SPIRE's name of the detail, and the text.
    pub(crate) details: Option<(&'static str, String)>,
}

impl Subsystem {
    /// One that is well.
    pub(crate) fn well(name: &'static str) -> Self {
        Self { name, ready: true, live: true, details: None }
    }

    /// One that starts, and what it waits for.
    pub(crate) fn waiting(name: &'static str, what: &str) -> Self {
        Self { name, ready: false, live: true, details: Some(("waiting_for", what.to_owned())) }
    }

    /// One that is neither ready nor live.
    pub(crate) fn failed(name: &'static str, detail: &'static str, why: String) -> Self {
        Self { name, ready: false, live: false, details: Some((detail, why)) }
    }
}

type Looking = Pin<Box<dyn Future<Output = Vec<Subsystem>> + Send>>;

/// Looks at every subsystem of a role.
#[derive(Clone)]
pub(crate) struct Check(Arc<dyn Fn() -> Looking + Send + Sync>);

impl Check {
    /// Looks each time.
    pub(crate) fn by<F: Future<Output = Vec<Subsystem>> + Send + 'static>(
        look: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move || Box::pin(look())))
    }
}

/// What was seen last. Before the first look nothing is ready.
type Seen = Arc<ArcSwap<Vec<Subsystem>>>;

/// Serves the endpoint until `stop`, if it is asked for.
pub(crate) async fn serve(
    settings: &HealthChecks,
    check: Check,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + use<>, Failure> {
    let listener = match settings.listener_enabled {
        true => {
            let address = (settings.bind_address.as_str(), settings.bind_port);
            let place = format!("{}:{}", address.0, address.1);
            let hint = "choose another bind_address or bind_port in health_checks";
            let listener = TcpListener::bind(address)
                .await
                .map_err(|e| format!("health checks cannot listen on {place}: {e}; {hint}"))?;
            tracing::info!(address = place, subsystem_name = "health", "Serving health checks");
            Some(listener)
        }
        false => None,
    };
    let paths = Arc::new(Paths { ready: settings.ready_path.clone(), live: settings.live_path.clone() });
    let task = listener.map(|listener| {
        let seen: Seen = Arc::default();
        tokio::spawn(async move {
            tokio::select! {
                () = look(check, seen.clone()) => {}
                () = accept(listener, paths, seen) => {}
                () = stop.cancelled() => {}
            }
        })
    });
    Ok(async move {
        if let Some(task) = task {
            let _ = task.await;
        }
    })
}

struct Paths {
    ready: String,
    live: String,
}

/// Looks for ever, and tells what changed.
async fn look(check: Check, seen: Seen) {
    let mut was_well = false;
    loop {
        let now = (check.0)().await;
        let well = now.iter().all(|subsystem| subsystem.ready && subsystem.live);
        let before = seen.swap(Arc::new(now.clone()));
        for subsystem in &now {
            let same = before.contains(subsystem);
            let details = subsystem.details.as_ref().map_or("", |(_, text)| text.as_str());
            if !subsystem.live && !same {
                tracing::warn!(
                    check = subsystem.name,
                    details,
                    subsystem_name = "health",
                    "Health check failed"
                );
            } else if subsystem.ready && !same && was_well {
                tracing::info!(check = subsystem.name, subsystem_name = "health", "Health check recovered");
            }
        }
        was_well |= well;
        tokio::time::sleep(if was_well { LATER } else { FIRST }).await;
    }
}

async fn accept(listener: TcpListener, paths: Arc<Paths>, seen: Seen) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (paths, seen) = (paths.clone(), seen.clone());
        let answer = service_fn(move |request: Request<Incoming>| {
            let response = respond(request.uri().path(), &paths, &seen.load());
            async move { Ok::<_, Infallible>(response) }
        });
        tokio::spawn(async move {
            let served = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(10))
                .serve_connection(TokioIo::new(stream), answer)
                .await;
            if let Err(error) = served {
                tracing::debug!(error = %error, "A health check broke off");
            }
            drop(permit);
        });
    }
}

fn respond(path: &str, paths: &Paths, seen: &[Subsystem]) -> Response<Full<Bytes>> {
    let fine: fn(&Subsystem) -> bool = match path {
        ready if ready == paths.ready => |subsystem| subsystem.ready,
        live if live == paths.live => |subsystem| subsystem.live,
        _ => return answer(StatusCode::NOT_FOUND, &Value::Object(Map::new())),
    };
    let status = match !seen.is_empty() && seen.iter().all(fine) {
        true => StatusCode::OK,
        false => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let details = seen.iter().map(|subsystem| {
        let said = subsystem.details.iter().map(|(name, text)| ((*name).to_owned(), text.clone().into()));
        (subsystem.name.to_owned(), Value::Object(said.collect()))
    });
    answer(status, &Value::Object(details.collect()))
}

fn answer(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{body}\n"))));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    fn asked(path: &str, seen: &[Subsystem]) -> (u16, String) {
        let paths = Paths { ready: "/ready".to_owned(), live: "/live".to_owned() };
        let response = respond(path, &paths, seen);
        let status = response.status().as_u16();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let body = runtime.block_on(response.into_body().collect()).unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap().trim_end().to_owned())
    }

    #[test]
    fn what_starts_is_live_and_says_what_it_waits_for() {
        let seen = [Subsystem::waiting("agent", "the server to answer"), Subsystem::well("other")];
        let body = r#"{"agent":{"waiting_for":"the server to answer"},"other":{}}"#.to_owned();
        assert_eq!(asked("/ready", &seen), (500, body.clone()));
        assert_eq!(asked("/live", &seen), (200, body));
    }

    #[test]
    fn what_failed_is_neither_and_says_why_under_spires_name() {
        let seen = [Subsystem::failed("server.ca", "sign_x509_svid_err", "no CA".to_owned())];
        let body = r#"{"server.ca":{"sign_x509_svid_err":"no CA"}}"#.to_owned();
        assert_eq!(asked("/ready", &seen), (500, body.clone()));
        assert_eq!(asked("/live", &seen), (500, body));
    }

    #[test]
    fn nothing_is_ready_before_it_was_looked_at_and_other_paths_are_nowhere() {
        assert_eq!(asked("/ready", &[]), (500, "{}".to_owned()));
        assert_eq!(asked("/ready", &[Subsystem::well("a")]).0, 200);
        assert_eq!(asked("/", &[Subsystem::well("a")]).0, 404);
    }
}

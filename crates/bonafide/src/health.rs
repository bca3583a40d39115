//! The HTTP health endpoint of both roles (`health_checks`).

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use config::HealthChecks;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::start::Failure;

/// Tells whether the role answers its callers.
#[derive(Clone)]
pub(crate) struct Up(Arc<dyn Fn() -> bool + Send + Sync>);

impl Up {
    /// Asks each time.
    pub(crate) fn when(ready: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(ready))
    }
}

/// Serves the endpoint until `stop`, if it is asked for.
pub(crate) async fn serve(
    settings: &HealthChecks,
    up: Up,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + use<>, Failure> {
    let listener = match settings.listener_enabled {
        true => {
            let address = (settings.bind_address.as_str(), settings.bind_port);
            let place = format!("{}:{}", address.0, address.1);
            let hint = "choose another bind_address or bind_port in health_checks";
            Some(
                TcpListener::bind(address)
                    .await
                    .map_err(|e| format!("health checks cannot listen on {place}: {e}; {hint}"))?,
            )
        }
        false => None,
    };
    let (ready, live) = (settings.ready_path.clone(), settings.live_path.clone());
    let task = listener.map(|listener| tokio::spawn(accept(listener, ready.into(), live.into(), up, stop)));
    Ok(async move {
        if let Some(task) = task {
            let _ = task.await;
        }
    })
}

async fn accept(listener: TcpListener, ready: Arc<str>, live: Arc<str>, up: Up, stop: CancellationToken) {
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => {
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stop.cancelled() => return,
        };
        let (ready, live, up) = (ready.clone(), live.clone(), up.clone());
        let answer = service_fn(move |request: Request<Incoming>| {
            let response = respond(request.uri().path(), &ready, &live, &up);
            async move { Ok::<_, Infallible>(response) }
        });
        tokio::spawn(async move {
            let served = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(std::time::Duration::from_secs(10))
                .serve_connection(TokioIo::new(stream), answer)
                .await;
            if let Err(error) = served {
                tracing::debug!(error = %error, "A health check broke off");
            }
        });
    }
}

fn respond(path: &str, ready: &str, live: &str, up: &Up) -> Response<Full<Bytes>> {
    let (status, body) = match (path == ready || path == live, (up.0)()) {
        (false, _) => (StatusCode::NOT_FOUND, "{}"),
        (true, true) => (StatusCode::OK, "{}"),
        (true, false) => (StatusCode::INTERNAL_SERVER_ERROR, "{\"starting\":\"not serving yet\"}"),
    };
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    response
}

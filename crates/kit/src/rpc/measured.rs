//! Counts calls, and makes a span of each where spans are collected.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};

use tracing::Instrument as _;

use super::ending::watch;
use super::traced;
use crate::metrics::RpcCalls;

/// Counts the calls of the methods that `known` knows, by how they end.
#[derive(Clone, Copy)]
pub struct MeasuredLayer {
    /// Where they are counted.
    pub calls: &'static RpcCalls,
    /// The path of a method, if it is one of ours: what callers make up is not counted.
    pub known: fn(&str) -> Option<&'static str>,
}

impl<S> Layer<S> for MeasuredLayer {
    type Service = Measured<S>;

    fn layer(&self, inner: S) -> Measured<S> {
        Measured { inner, how: *self }
    }
}

/// See [`MeasuredLayer`].
#[derive(Clone)]
pub struct Measured<S> {
    inner: S,
    how: MeasuredLayer,
}

impl<S, B> Service<Request<B>> for Measured<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let method = (self.how.known)(request.uri().path());
        let running = method.map(|method| self.how.calls.start(method));
        let running = running.filter(crate::metrics::Running::is_counted);
        let span = match method {
            Some(method) if crate::trace::is_collected() => traced::server(method, request.headers()),
            _ => tracing::Span::none(),
        };
        let entered = span.enter();
        let answer = self.inner.call(request);
        drop(entered);
        Box::pin(async move {
            if running.is_none() && span.is_none() {
                return answer.await;
            }
            let response = answer.instrument(span.clone()).await?;
            Ok(watch(response, move |ending| {
                traced::server_over(&span, &ending);
                if let Some(running) = running {
                    running.done(ending.code);
                }
            }))
        })
    }
}

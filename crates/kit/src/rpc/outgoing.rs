//! Calls to others.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::Either;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::Service;
use tracing::Instrument as _;

use super::ending::{Ending, watch};
use super::traced;
use crate::trace;

/// A connection whose calls carry the place of the span that makes them, and are spans of their own where spans are
/// collected.
#[derive(Clone, Debug)]
pub struct Outgoing<S>(pub S);

impl<S> Service<Request<Body>> for Outgoing<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: std::fmt::Display + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if !trace::is_collected() {
            return Either::Left(self.0.call(request));
        }
        let span = traced::client(request.uri().path());
        let entered = span.enter();
        trace::inject(request.headers_mut());
        let answer = self.0.call(request);
        drop(entered);
        let told = span.clone();
        let answer = async move {
            match answer.await {
                Ok(response) => Ok(watch(response, move |ending| traced::client_over(&told, &ending))),
                Err(error) => {
                    let unreached = Status::unavailable(error.to_string());
                    let ending = Ending { code: unreached.code(), message: unreached.message().to_owned() };
                    traced::client_over(&told, &ending);
                    Err(error)
                }
            }
        };
        Either::Right(Box::pin(answer.instrument(span)))
    }
}

//! The deadline that a caller sets (`grpc-timeout`), kept to the end of the call: the answer's stream too.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

/// The header by which a caller says how long it waits.
const HEADER: &str = "grpc-timeout";
/// The most digits of its number.
const DIGITS: usize = 8;
/// What a call is told whose time is over, in the words of Go's library.
const WORDS: &str = "context deadline exceeded";

/// When a call has to be over; a request's extension where the caller said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(pub Instant);

/// How long the caller waits, if it says so readably: up to eight digits and a unit. What is not readable is passed over.
pub fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if number.is_empty() || number.len() > DIGITS || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

/// Puts [`Timed`] around a service.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeadlineLayer;

impl<S> Layer<S> for DeadlineLayer {
    type Service = Timed<S>;

    fn layer(&self, inner: S) -> Timed<S> {
        Timed { inner }
    }
}

/// Ends a call at its caller's deadline: what was begun for it is dropped, and the caller is told `DeadlineExceeded`.
#[derive(Clone, Debug)]
pub struct Timed<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for Timed<S>
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

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let end = timeout(request.headers()).and_then(|wait| Instant::now().checked_add(wait));
        if let Some(end) = end {
            request.extensions_mut().insert(Deadline(end));
        }
        let answer = self.inner.call(request);
        Box::pin(async move {
            let Some(end) = end else { return answer.await };
            match tokio::time::timeout_at(end, answer).await {
                Ok(answered) => Ok(answered?.map(|body| until(body, end))),
                Err(_) => Ok(Status::deadline_exceeded(WORDS).into_http()),
            }
        })
    }
}

/// The body, ended at that moment if it has not ended itself. One that is whole already needs no watch.
fn until(body: Body, end: Instant) -> Body {
    match http_body::Body::is_end_stream(&body) {
        true => body,
        false => Body::new(Until { body, end: Box::pin(sleep_until(end)), over: false }),
    }
}

struct Until {
    body: Body,
    end: Pin<Box<Sleep>>,
    over: bool,
}

impl http_body::Body for Until {
    type Data = <Body as http_body::Body>::Data;
    type Error = <Body as http_body::Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if self.over {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame);
        }
        if self.end.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.over = true;
        self.body = Body::empty();
        let mut trailers = HeaderMap::new();
        let told = Status::deadline_exceeded(WORDS).add_header(&mut trailers);
        Poll::Ready(Some(told.map(|()| Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;

//! How long a caller may keep a request open and send nothing of it.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::Request;
use http_body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

/// Ends requests whose next bytes do not come in time; those that `spared` knows may be silent for ever.
#[derive(Clone, Copy, Debug)]
pub struct PatienceLayer {
    /// How long to wait for the next bytes.
    pub limit: Duration,
    /// The paths of methods whose callers speak when they have something to say.
    pub spared: fn(&str) -> bool,
}

impl<S> Layer<S> for PatienceLayer {
    type Service = Patient<S>;

    fn layer(&self, inner: S) -> Patient<S> {
        Patient { inner, how: *self }
    }
}

/// See [`PatienceLayer`].
#[derive(Clone, Debug)]
pub struct Patient<S> {
    inner: S,
    how: PatienceLayer,
}

impl<S: Service<Request<Body>>> Service<Request<Body>> for Patient<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        let whole = http_body::Body::is_end_stream(request.body());
        if whole || (self.how.spared)(request.uri().path()) {
            return self.inner.call(request);
        }
        let limit = self.how.limit;
        self.inner.call(request.map(|body| Body::new(Awaited { body, limit, wait: None })))
    }
}

struct Awaited {
    body: Body,
    limit: Duration,
    /// Set while bytes are waited for.
    wait: Option<Pin<Box<Sleep>>>,
}

impl http_body::Body for Awaited {
    type Data = <Body as http_body::Body>::Data;
    type Error = <Body as http_body::Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.wait = None;
            return Poll::Ready(frame);
        }
        let limit = self.limit;
        ready!(self.wait.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(context));
        self.body = Body::empty();
        Poll::Ready(Some(Err(Status::deadline_exceeded(format!(
            "nothing more of the request came within {} seconds",
            limit.as_secs()
        )))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::StreamExt as _;
    use http::Response;
    use http_body_util::{BodyExt as _, StreamBody};
    use prost::bytes::Bytes;
    use tokio::time::Instant;

    use super::*;

    /// Answers how many bytes came, or with what the request broke off.
    async fn count(request: Request<Body>) -> Result<Response<Result<usize, Status>>, Infallible> {
        let read = request.into_body().collect().await;
        Ok(Response::new(read.map(|whole| whole.to_bytes().len())))
    }

    /// What comes of a request with these pauses between its bytes; `None` for ever.
    async fn asked(path: &'static str, pauses: &'static [Option<u64>]) -> Result<usize, Status> {
        let frames = futures_util::stream::iter(pauses).then(|pause| async move {
            match pause {
                Some(seconds) => sleep(Duration::from_secs(*seconds)).await,
                None => std::future::pending().await,
            }
            Ok::<_, Status>(Frame::data(Bytes::from_static(b"x")))
        });
        let layer = PatienceLayer { limit: Duration::from_secs(10), spared: |path| path == "/feed" };
        let mut service = layer.layer(tower::service_fn(count));
        let request = Request::get(path).body(Body::new(StreamBody::new(frames))).unwrap();
        service.call(request).await.unwrap().into_body()
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_may_come_slowly_and_may_not_stop_coming() {
        assert_eq!(asked("/a", &[Some(9), Some(9), Some(9)]).await.unwrap(), 3);
        let begun = Instant::now();
        let status = asked("/a", &[Some(1), None]).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::DeadlineExceeded);
        assert_eq!(begun.elapsed().as_secs(), 11);
        assert_eq!(asked("/feed", &[Some(50)]).await.unwrap(), 1);
    }
}

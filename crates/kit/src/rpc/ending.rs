//! How a call ends: in the headers of its response, in its trailers, or by the caller going away.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderMap, Response};
use http_body::{Frame, SizeHint};
use percent_encoding::percent_decode_str;
use tonic::body::Body;
use tonic::{Code, Status};

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Its code.
    pub code: Code,
    /// Its message; empty where all went well.
    pub message: String,
}

impl Ending {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let code = headers.get(Status::GRPC_STATUS)?;
        let message = headers
            .get(Status::GRPC_MESSAGE)
            .map(|text| percent_decode_str(text.to_str().unwrap_or_default()));
        let message = message.map(|text| text.decode_utf8_lossy().into_owned()).unwrap_or_default();
        Some(Self { code: Code::from_bytes(code.as_bytes()), message })
    }

    fn cancelled() -> Self {
        Self { code: Code::Cancelled, message: "the caller went away".to_owned() }
    }
}

/// Calls `then` once, when the call with this response is over.
pub fn watch(response: Response<Body>, then: impl FnOnce(Ending) + Send + 'static) -> Response<Body> {
    if let Some(ending) = Ending::of(response.headers()) {
        then(ending);
        return response;
    }
    response.map(|body| Body::new(Watched { body, then: Some(Box::new(then)) }))
}

type Then = Box<dyn FnOnce(Ending) + Send>;

struct Watched {
    body: Body,
    then: Option<Then>,
}

impl Watched {
    fn over(&mut self, ending: Ending) {
        if let Some(then) = self.then.take() {
            then(ending);
        }
    }
}

impl http_body::Body for Watched {
    type Data = <Body as http_body::Body>::Data;
    type Error = <Body as http_body::Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(next) = &polled {
            match next {
                Some(Ok(frame)) => {
                    if let Some(ending) = frame.trailers_ref().and_then(Ending::of) {
                        self.over(ending);
                    }
                }
                Some(Err(status)) => {
                    let ending = Ending { code: status.code(), message: status.message().to_owned() };
                    self.over(ending);
                }
                // gRPC always has trailers; a body without them is none of ours.
                None => self.over(Ending { code: Code::Ok, message: String::new() }),
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.over(Ending::cancelled());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use http_body_util::{BodyExt as _, StreamBody};
    use prost::bytes::Bytes;

    use super::*;

    fn ends(response: Response<Body>, read: bool) -> Vec<(Code, String)> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = seen.clone();
        let watched = watch(response, move |ending| told.lock().unwrap().push((ending.code, ending.message)));
        if read {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = runtime.block_on(watched.into_body().collect());
        } else {
            drop(watched);
        }
        Arc::into_inner(seen).unwrap().into_inner().unwrap()
    }

    fn streamed(frames: Vec<Result<Frame<Bytes>, Status>>) -> Response<Body> {
        Response::new(Body::new(StreamBody::new(futures_util::stream::iter(frames))))
    }

    #[test]
    fn a_refusal_ends_a_call_at_once() {
        let refused = Status::permission_denied("no: not for \"you\"").into_http();
        assert_eq!(ends(refused, false), [(Code::PermissionDenied, "no: not for \"you\"".to_owned())]);
    }

    #[test]
    fn trailers_end_a_call_once() {
        let trailers: HeaderMap = [(Status::GRPC_STATUS.clone(), "5".parse().unwrap())].into_iter().collect();
        let frames = vec![Ok(Frame::data(Bytes::from_static(b"x"))), Ok(Frame::trailers(trailers))];
        assert_eq!(ends(streamed(frames), true), [(Code::NotFound, String::new())]);
    }

    #[test]
    fn a_caller_who_goes_away_cancels_it() {
        assert_eq!(ends(streamed(vec![Ok(Frame::data(Bytes::new()))]), false)[0].0, Code::Cancelled);
    }

    #[test]
    fn a_stream_that_breaks_says_why() {
        assert_eq!(ends(streamed(vec![Err(Status::aborted("x"))]), true), [(Code::Aborted, "x".to_owned())]);
    }
}

//! A message that is too large is `ResourceExhausted`, as gRPC and SPIRE say; tonic calls it `OutOfRange`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderValue, Request, Response};
use tonic::Code;
use tower::{Layer, Service};

/// How tonic's refusal begins, as it stands percent-encoded in a header.
const TONICS_WORDS: &str = "Error,%20decoded%20message%20length%20too%20large";

/// What gRPC says; the numbers of tonic's words follow.
const OUR_WORDS: &str = "grpc:%20received%20message%20larger%20than%20max";

/// Puts [`Oversized`] around a service.
#[derive(Clone, Copy, Debug, Default)]
pub struct OversizedLayer;

impl<S> Layer<S> for OversizedLayer {
    type Service = Oversized<S>;

    fn layer(&self, inner: S) -> Oversized<S> {
        Oversized { inner }
    }
}

/// Rewrites the refusal of a message that is larger than the service reads.
#[derive(Clone, Debug)]
pub struct Oversized<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Oversized<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            rewrite(&mut response);
            Ok(response)
        })
    }
}

/// A refusal before the first message stands in the headers, with no trailers.
fn rewrite<R>(response: &mut Response<R>) {
    let headers = response.headers_mut();
    if headers.get(tonic::Status::GRPC_STATUS).is_none_or(|status| status != "11") {
        return;
    }
    let message = headers.get(tonic::Status::GRPC_MESSAGE).and_then(|message| message.to_str().ok());
    let Some(numbers) = message.and_then(|message| message.strip_prefix(TONICS_WORDS)) else { return };
    if let Ok(message) = HeaderValue::try_from(format!("{OUR_WORDS}{numbers}")) {
        headers.insert(tonic::Status::GRPC_MESSAGE, message);
    }
    headers.insert(tonic::Status::GRPC_STATUS, HeaderValue::from(Code::ResourceExhausted as i32));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(status: tonic::Status) -> (Option<i32>, String) {
        let mut response: Response<tonic::body::Body> = status.into_http();
        rewrite(&mut response);
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        (
            header("grpc-status").and_then(|it| it.parse().ok()),
            header("grpc-message").unwrap_or_default().to_owned(),
        )
    }

    #[test]
    fn tonics_word_for_too_large_becomes_grpcs() {
        let tonics = "Error, decoded message length too large: found 9 bytes, the limit is: 4 bytes";
        let (code, message) = rewritten(tonic::Status::out_of_range(tonics));
        assert_eq!(code, Some(Code::ResourceExhausted as i32));
        assert!(message.starts_with(OUR_WORDS) && message.contains("limit"), "{message}");
    }

    #[test]
    fn other_refusals_stay_as_they_are() {
        assert_eq!(rewritten(tonic::Status::out_of_range("page")), (Some(11), "page".to_owned()));
        let (code, _) = rewritten(tonic::Status::invalid_argument("no"));
        assert_eq!(code, Some(Code::InvalidArgument as i32));
    }
}

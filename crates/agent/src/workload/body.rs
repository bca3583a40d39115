//! Responses of messages that are framed already.

use futures_util::{Stream, StreamExt as _};
use http::{HeaderMap, HeaderValue, Response, header};
use http_body::Frame;
use http_body_util::StreamBody;
use prost::bytes::Bytes;
use tonic::Status;
use tonic::body::Body;

/// A response that sends these messages as they are; the status after them ends it, or success where there is none.
pub(crate) fn response(
    messages: impl Stream<Item = Result<Bytes, Status>> + Send + 'static,
) -> Response<Body> {
    let frames = futures_util::stream::unfold(Some(Box::pin(messages)), |messages| async move {
        let mut messages = messages?;
        Some(match messages.next().await {
            Some(Ok(message)) => (Ok::<_, Status>(Frame::data(message)), Some(messages)),
            Some(Err(status)) => (Ok(Frame::trailers(trailers(&status))), None),
            None => (Ok(Frame::trailers(trailers(&Status::ok("")))), None),
        })
    });
    let mut response = Response::new(Body::new(StreamBody::new(frames)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

fn trailers(status: &Status) -> HeaderMap {
    let mut map = HeaderMap::new();
    if status.add_header(&mut map).is_err() {
        // Only details that are no header value can do this; they are left out.
        let _ = Status::new(status.code(), "").add_header(&mut map);
    }
    map
}

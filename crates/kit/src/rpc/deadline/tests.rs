use http_body_util::{BodyExt as _, StreamBody};
use prost::bytes::Bytes;
use tonic::Code;

use super::*;

fn headers(text: &str) -> HeaderMap {
    [(http::HeaderName::from_static(HEADER), text.parse().unwrap())].into_iter().collect()
}

#[test]
fn a_timeout_is_a_number_and_a_unit() {
    for (text, wait) in [
        ("2H", Duration::from_secs(7200)),
        ("3M", Duration::from_secs(180)),
        ("99999999S", Duration::from_secs(99_999_999)),
        ("250m", Duration::from_millis(250)),
        ("7u", Duration::from_micros(7)),
        ("0n", Duration::ZERO),
    ] {
        assert_eq!(timeout(&headers(text)), Some(wait), "{text}");
    }
    for wrong in ["", "S", "1", "1x", "123456789S", "-1S", "+1S", "1.5S", " 1S", "1 S"] {
        assert_eq!(timeout(&headers(wrong)), None, "{wrong:?}");
    }
    assert_eq!(timeout(&HeaderMap::new()), None);
}

/// A service whose answer takes a second, and whose body never ends.
async fn slow(_: Request<()>) -> Result<Response<Body>, std::convert::Infallible> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    let first: Result<_, Status> = Ok(Frame::data(Bytes::from_static(b"x")));
    let frames =
        futures_util::StreamExt::chain(futures_util::stream::iter([first]), futures_util::stream::pending());
    Ok(Response::new(Body::new(StreamBody::new(frames))))
}

async fn called(wait: &str) -> Response<Body> {
    let mut service = DeadlineLayer.layer(tower::service_fn(slow));
    let mut request = Request::new(());
    *request.headers_mut() = headers(wait);
    service.call(request).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_time_is_over_is_dropped_and_told() {
    let start = Instant::now();
    let answer = called("300m").await;
    assert_eq!(start.elapsed().as_millis(), 300);
    let status = Status::from_header_map(answer.headers()).unwrap();
    assert_eq!((status.code(), status.message()), (Code::DeadlineExceeded, WORDS));
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_at_its_deadline() {
    let start = Instant::now();
    let mut body = called("5S").await.into_body();
    assert!(body.frame().await.unwrap().unwrap().is_data());
    let last = body.frame().await.unwrap().unwrap();
    assert_eq!(start.elapsed().as_secs(), 5);
    let status = Status::from_header_map(last.trailers_ref().unwrap()).unwrap();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(body.frame().await.is_none());
}

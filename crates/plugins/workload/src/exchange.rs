//! One HTTP request on a connection of its own.

use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// Whatever went wrong on the way.
pub(crate) type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Sends a request and reads the answer, which may have `most` bytes.
pub(crate) async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
    most: usize,
) -> Result<(StatusCode, Bytes), Fault> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let answer = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), most).collect().await?.to_bytes();
        Ok((status, body))
    };
    // the connection moves along with the answer, and ends with it
    tokio::pin!(connection);
    tokio::pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        ended = &mut connection => match ended {
            Ok(()) => answer.await,
            Err(why) => Err(why.into()),
        },
    }
}

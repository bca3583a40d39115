//! Fetches the nonce. The server may be told any name to connect to, so what it does there is held small: one GET of a
//! fixed path, no redirect, no proxy, a few bytes of the answer, and ten seconds for all of it.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HOST, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::path_of;

/// How long it may take (SPIRE 1.16).
const DEADLINE: Duration = Duration::from_secs(10);
/// How much of the answer is read (SPIRE 1.16).
const MAX_BODY: usize = 64;

/// Why no nonce came.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{host}:{port} cannot be reached: {why}")]
    Unreachable { host: String, port: u16, why: std::io::Error },
    #[error("{0}:{1} did not answer within 10 seconds")]
    Late(String, u16),
    #[error("the answer is no HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("the name cannot stand in an HTTP request")]
    Name,
    #[error("http redirects are disabled")]
    Redirect,
}

/// The first bytes of what is found there, without the white space around them.
pub(super) async fn fetch(host: &str, port: u16, agent_name: &str) -> Result<Vec<u8>, FetchError> {
    let asked = ask(host, port, agent_name);
    tokio::time::timeout(DEADLINE, asked).await.map_err(|_| FetchError::Late(host.to_owned(), port))?
}

async fn ask(host: &str, port: u16, agent_name: &str) -> Result<Vec<u8>, FetchError> {
    let request = Request::get(path_of(agent_name))
        .header(HOST, format!("{host}:{port}"))
        .header(USER_AGENT, "bonafide")
        .body(Empty::<Bytes>::new())
        .map_err(|_| FetchError::Name)?;
    let stream = TcpStream::connect((host, port)).await.map_err(|why| FetchError::Unreachable {
        host: host.to_owned(),
        port,
        why,
    })?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut answer = std::pin::pin!(async { read(sender.send_request(request).await?).await });
    // the connection lives as long as what is asked over it: the answer is cut off where it is no longer wanted
    tokio::select! {
        biased;
        answer = answer.as_mut() => return answer,
        ended = connection => ended?,
    }
    // what came before the end is still to be read
    answer.await
}

async fn read(answer: Response<hyper::body::Incoming>) -> Result<Vec<u8>, FetchError> {
    if answer.status().is_redirection() {
        return Err(FetchError::Redirect);
    }
    let mut body = answer.into_body();
    let mut text = Vec::with_capacity(MAX_BODY);
    while text.len() < MAX_BODY {
        let Some(frame) = body.frame().await else { break };
        if let Ok(data) = frame?.into_data() {
            let room = MAX_BODY.saturating_sub(text.len());
            text.extend(data.iter().take(room));
        }
    }
    Ok(text.trim_ascii().to_vec())
}

//! Talks to an engine: HTTP over its socket.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http::{Request, StatusCode, header};
use http_body_util::Empty;
use hyper::body::Bytes;
use tokio::net::{TcpStream, UnixStream};

use super::answer::{self, AnswerError, Container};
use crate::exchange;

/// The longest answer that is read.
const MOST: usize = 4 << 20;
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often an engine that does not answer is asked, and how long is waited first; twice as long each time.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(100);

/// Where an engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `unix:///path`
    Unix(PathBuf),
    /// `tcp://host:port`, without TLS.
    Tcp(String),
}

/// Why an address was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address of an engine; write unix:///path/to/socket or tcp://host:port")]
pub struct AddressError(String);

impl Address {
    /// From `unix:///path` or `tcp://host:port`.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let refused = || AddressError(text.to_owned());
        match text.split_once("://").ok_or_else(refused)? {
            ("unix", path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            ("tcp", host)
                if host
                    .rsplit_once(':')
                    .is_some_and(|(name, port)| !name.is_empty() && port.parse::<u16>().is_ok()) =>
            {
                Ok(Self::Tcp(host.to_owned()))
            }
            _ => Err(refused()),
        }
    }

    /// Where nobody listens.
    pub(super) fn nowhere() -> Self {
        Self::Unix(PathBuf::from("/dev/null"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(host) => write!(f, "tcp://{host}"),
        }
    }
}

/// Why an engine did not say what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum EngineError {
    #[error("the container engine at {at} cannot be reached: {why}")]
    Unreachable { at: Address, why: String },
    #[error("the container engine at {at} refuses with {status}: {said}")]
    Refused { at: Address, status: StatusCode, said: String },
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

/// An engine.
#[derive(Clone)]
pub(super) struct Engine {
    address: Address,
    /// What comes before each path: `/v1.41`, or nothing for the newest version.
    prefix: String,
}

impl Engine {
    pub(super) fn at(address: Address, version: Option<String>) -> Self {
        let prefix = version.map(|version| format!("/v{version}")).unwrap_or_default();
        Self { address, prefix }
    }

    /// The container with this id.
    pub(super) async fn container(&self, id: &str) -> Result<Container, EngineError> {
        Ok(Container::parse(&self.get(&format!("/containers/{}/json", escaped(id))).await?)?)
    }

    /// The id of the image that has this name.
    pub(super) async fn image(&self, name: &str) -> Result<String, EngineError> {
        Ok(answer::image_id(&self.get(&format!("/images/{}/json", escaped(name))).await?)?)
    }

    async fn get(&self, path: &str) -> Result<Bytes, EngineError> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.try_get(path).await {
                Err(EngineError::Unreachable { .. }) => tokio::time::sleep(pause).await,
                other => return other,
            }
            pause *= 2;
        }
        self.try_get(path).await
    }

    async fn try_get(&self, path: &str) -> Result<Bytes, EngineError> {
        let asked = async {
            let request = Request::get(format!("{}{path}", self.prefix)).header(header::HOST, "docker");
            let request = request.body(Empty::<Bytes>::new())?;
            match &self.address {
                Address::Unix(socket) => {
                    exchange::ask(UnixStream::connect(socket).await?, request, MOST).await
                }
                Address::Tcp(host) => exchange::ask(TcpStream::connect(host).await?, request, MOST).await,
            }
        };
        let unreachable = |why: String| EngineError::Unreachable { at: self.address.clone(), why };
        let late = |_| unreachable(format!("no answer within {} seconds", PATIENCE.as_secs()));
        let answer = tokio::time::timeout(PATIENCE, asked).await.map_err(late)?;
        let (status, body) = answer.map_err(|why| unreachable(why.to_string()))?;
        if status == StatusCode::OK {
            return Ok(body);
        }
        let said: String = String::from_utf8_lossy(&body).trim().chars().take(300).collect();
        Err(EngineError::Refused { at: self.address.clone(), status, said })
    }
}

/// A name as one part of a path. An id may come from a pattern that an operator wrote, and a name is the image's.
fn escaped(name: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'/' | b'@');
    // no step up, and no empty part
    let name = name.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect::<Vec<_>>().join("/");
    name.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[test]
    fn addresses_are_those_of_docker() {
        for good in ["unix:///run/docker.sock", "tcp://127.0.0.1:2375"] {
            assert_eq!(Address::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            "/run/docker.sock",
            "unix://docker.sock",
            "npipe:////./pipe/docker",
            "tcp://host",
            "tcp://:1",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_stays_within_its_part_of_the_path() {
        assert_eq!(escaped("registry:5000/a/b@sha256:1"), "registry:5000/a/b@sha256:1");
        assert_eq!(escaped("../../secrets?x#y z"), "secrets%3Fx%23y%20z");
    }

    /// An engine that answers each connection with the next of these texts, or hangs up.
    fn engine(answers: Vec<Option<String>>) -> (tempfile::TempDir, Engine) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.sock");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = vec![0; 4096];
                let _ = stream.read(&mut asked).await.unwrap();
                if let Some(answer) = answer {
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            }
        });
        (folder, Engine::at(Address::Unix(path), Some("1.41".to_owned())))
    }

    fn response(status: &str, body: &str) -> Option<String> {
        Some(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    }

    #[tokio::test]
    async fn an_answer_is_read() {
        let (_folder, engine) = engine(vec![response("200 OK", r#"{"Id":"abc"}"#)]);
        assert_eq!(engine.container("abc").await.unwrap().id, "abc");
    }

    #[tokio::test]
    async fn an_engine_that_hangs_up_is_asked_again() {
        let (_folder, engine) = engine(vec![None, None, response("200 OK", r#"{"Id":"abc"}"#)]);
        assert_eq!(engine.container("abc").await.unwrap().id, "abc");
    }

    #[tokio::test]
    async fn a_refusal_is_told_and_not_tried_again() {
        let (_folder, engine) =
            engine(vec![response("404 Not Found", r#"{"message":"No such container: abc"}"#)]);
        let told = engine.container("abc").await.unwrap_err().to_string();
        assert!(told.contains("404 Not Found") && told.contains("No such container: abc"), "{told}");
    }

    #[tokio::test]
    async fn an_answer_without_end_is_cut_off() {
        let long = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", 5 << 20, " ".repeat(5 << 20));
        let answers = vec![Some(long.clone()), Some(long.clone()), Some(long)];
        let (_folder, engine) = engine(answers);
        assert!(matches!(engine.container("abc").await, Err(EngineError::Unreachable { .. })));
    }

    #[tokio::test]
    async fn nobody_there_is_told_with_the_address() {
        let engine = Engine::at(Address::Unix("/nonexistent/engine.sock".into()), None);
        let told = engine.container("abc").await.unwrap_err().to_string();
        assert!(told.contains("unix:///nonexistent/engine.sock cannot be reached"), "{told}");
    }
}

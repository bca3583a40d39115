//! A gRPC peer on a Unix socket that knows no service: it looks only at the path of a call.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

use kit::clock::Clock;
use prost::Message;
use prost::bytes::{Buf as _, BufMut as _};
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, ServerStreamingService};
use tonic::{Request, Response, Status};

use crate::{Host, Outcome, Terminal};

/// The time in tests.
pub(super) const NOW: u64 = 1_700_000_000;

#[derive(Default)]
struct State {
    answers: HashMap<&'static str, Vec<Result<Vec<u8>, Status>>>,
    asked: Vec<(String, Vec<u8>)>,
}

/// What the peer answers, and what it was asked.
pub(super) struct Fake {
    state: Arc<Mutex<State>>,
    folder: tempfile::TempDir,
}

impl Fake {
    /// A peer that listens and knows no call yet.
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let (service, path) = (Peer(state.clone()), folder.path().join("api.sock"));
        let (ready, wait) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = UnixListenerStream::new(UnixListener::bind(path).unwrap());
                ready.send(()).unwrap();
                let _ = tonic::transport::Server::builder().serve_with_incoming(service, listener).await;
            });
        });
        wait.recv().unwrap();
        Self { state, folder }
    }

    /// The next call of that path gets this answer; the last answer serves all further calls.
    pub(super) fn answer(self, path: &'static str, message: &impl Message) -> Self {
        self.state.lock().unwrap().answers.entry(path).or_default().push(Ok(message.encode_to_vec()));
        self
    }

    /// The next call of that path is refused.
    pub(super) fn refuse(self, path: &'static str, status: Status) -> Self {
        self.state.lock().unwrap().answers.entry(path).or_default().push(Err(status));
        self
    }

    /// What the calls of that path asked for, in order.
    pub(super) fn asked<M: Message + Default>(&self, path: &str) -> Vec<M> {
        let state = self.state.lock().unwrap();
        let of_path = state.asked.iter().filter(|(asked, _)| asked == path);
        of_path.map(|(_, message)| M::decode(message.as_slice()).unwrap()).collect()
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join("api.sock")
    }

    /// Runs a command of the server's program.
    pub(super) fn server(&self, line: &[&str]) -> Said {
        self.server_with_input(line, "")
    }

    /// Runs a command of the server's program with something to read.
    pub(super) fn server_with_input(&self, line: &[&str], input: &str) -> Said {
        run(crate::server, &self.with_socket(line), input, &[])
    }

    /// Runs a command of the agent's program.
    pub(super) fn agent(&self, line: &[&str]) -> Said {
        run(crate::agent, &self.with_socket(line), "", &[])
    }

    fn with_socket(&self, line: &[&str]) -> Vec<String> {
        let socket = self.socket().display().to_string();
        let mut arguments: Vec<String> = line.iter().map(|a| (*a).to_owned()).collect();
        arguments.extend(["-socketPath".to_owned(), socket]);
        arguments
    }
}

/// What a command printed, and how it ended.
#[derive(Debug, PartialEq)]
pub(super) struct Said {
    pub(super) out: String,
    pub(super) err: String,
    pub(super) code: u8,
}

type Entrance = fn(&Host, &[String], &mut Terminal<'_>) -> Outcome;

/// Runs a command line in an environment.
pub(super) fn run(
    entrance: Entrance,
    arguments: &[String],
    input: &str,
    environment: &[(&str, &str)],
) -> Said {
    let host = Host { name: "tool", version: "1.2.3".to_owned(), commands: &[] };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let look_up =
        |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let mut terminal = Terminal {
        input: &mut input.as_bytes(),
        out: &mut out,
        err: &mut err,
        environment: &look_up,
        clock: Clock::by_hand(UNIX_EPOCH + Duration::from_secs(NOW)).0,
    };
    let code = match entrance(&host, arguments, &mut terminal) {
        Outcome::Exit(code) => code,
        Outcome::Host(command, _) => panic!("{} is not ours", command.path),
    };
    Said { out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap(), code }
}

#[derive(Clone)]
struct Peer(Arc<Mutex<State>>);

impl NamedService for Peer {
    const NAME: &'static str = "any";
}

impl tower::Service<http::Request<Body>> for Peer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let call = Call { state: self.0.clone(), path: request.uri().path().to_owned() };
        // A unary answer looks on the wire like a stream of one message.
        Box::pin(async move { Ok(Grpc::new(Raw).server_streaming(call, request).await) })
    }
}

struct Call {
    state: Arc<Mutex<State>>,
    path: String,
}

impl ServerStreamingService<Vec<u8>> for Call {
    type Response = Vec<u8>;
    type ResponseStream = tokio_stream::Once<Result<Vec<u8>, Status>>;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Self::ResponseStream>, Status>> + Send>>;

    fn call(&mut self, request: Request<Vec<u8>>) -> Self::Future {
        let mut state = self.state.lock().unwrap();
        state.asked.push((self.path.clone(), request.into_inner()));
        let answer = match state.answers.get_mut(self.path.as_str()) {
            None => Err(Status::unimplemented(format!("unknown method {}", self.path))),
            Some(answers) if answers.len() > 1 => answers.remove(0),
            Some(answers) => answers[0].clone(),
        };
        Box::pin(async move { answer.map(|message| Response::new(tokio_stream::once(Ok(message)))) })
    }
}

#[derive(Clone, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length).to_vec()))
    }
}

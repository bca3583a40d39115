use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use model::ports::{AttestError, NodeProof, Prover};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::wire::{Challenge, MAX_MESSAGE, Payload, READY};
use super::{NAME, path_of};

/// How long a caller may take (SPIRE 1.16).
const DEADLINE: Duration = Duration::from_secs(10);
/// How many callers are served at once.
const MAX_CALLERS: usize = 16;

/// Why the agent's half cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AgentFault {
    /// The node has no name.
    #[error("unable to fetch hostname: {0}; set hostname")]
    Hostname(String),
}

/// The agent's half: for as long as a proof takes, it serves the server's nonce.
pub struct Agent {
    hostname: String,
    agent_name: String,
    port: u16,
    advertised_port: Option<u16>,
}

impl Agent {
    /// For a node of this name, by default that of the machine. It listens on `port`, any free one if that is 0, and tells
    /// the server `advertised_port`, if there is one, instead.
    pub fn new(
        hostname: Option<String>,
        agent_name: String,
        port: u16,
        advertised_port: Option<u16>,
    ) -> Result<Self, AgentFault> {
        let own = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        let hostname = hostname.unwrap_or_else(own);
        if hostname.is_empty() || hostname == "(none)" {
            return Err(AgentFault::Hostname("the machine has none".to_owned()));
        }
        Ok(Self { hostname, agent_name, port, advertised_port })
    }

    /// On all addresses, of both kinds where there are both.
    async fn listen(&self) -> Result<TcpListener, AttestError> {
        let listener = match TcpListener::bind((Ipv6Addr::UNSPECIFIED, self.port)).await {
            Ok(listener) => Ok(listener),
            Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, self.port)).await,
        };
        listener
            .map_err(|cause| AttestError::Failed(format!("could not listen on port {}: {cause}", self.port)))
    }
}

#[async_trait]
impl NodeProof for Agent {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn prove(&self, server: &mut dyn Prover) -> Result<(), AttestError> {
        let listener = self.listen().await?;
        let bound = listener.local_addr().map_err(|cause| AttestError::Failed(cause.to_string()))?.port();
        let payload = Payload {
            hostname: self.hostname.clone(),
            agentname: self.agent_name.clone(),
            port: i64::from(self.advertised_port.unwrap_or(bound)),
        };
        let payload = serde_json::to_vec(&payload)
            .map_err(|cause| AttestError::Failed(format!("unable to marshal attestation data: {cause}")))?;
        let Some(challenge) = server.send(payload).await? else { return Ok(()) };
        if challenge.len() > MAX_MESSAGE {
            return Err(AttestError::Failed(format!("the challenge is larger than {MAX_MESSAGE} bytes")));
        }
        let challenge: Challenge = serde_json::from_slice(&challenge)
            .map_err(|cause| AttestError::Failed(format!("unable to unmarshal challenge: {cause}")))?;
        let page = Arc::new(Page { path: path_of(&self.agent_name), nonce: challenge.nonce });
        let answer = tokio::select! {
            answer = server.send(READY.to_vec()) => answer?,
            never = serve(listener, page) => match never {},
        };
        match answer {
            None => Ok(()),
            Some(_) => Err(AttestError::Failed(
                "the server challenges again, after the answer that ends the proof".to_owned(),
            )),
        }
    }
}

/// All there is to be seen.
struct Page {
    path: String,
    nonce: String,
}

/// Serves until dropped.
async fn serve(listener: TcpListener, page: Arc<Page>) -> Infallible {
    let mut callers = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if callers.len() < MAX_CALLERS => match accepted {
                Ok((stream, _)) => { callers.spawn(answer(stream, page.clone())); }
                // out of descriptors for now: no reason to turn round and round
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            Some(_) = callers.join_next() => {}
        }
    }
}

async fn answer(stream: TcpStream, page: Arc<Page>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let page = page.clone();
        async move { Ok::<_, Infallible>(page.answer(request.uri().path())) }
    });
    let mut http = http1::Builder::new();
    let connection = http
        .timer(TokioTimer::new())
        .header_read_timeout(DEADLINE)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    // whoever asks badly gets no answer; that is not the node's fault
    let _ = tokio::time::timeout(DEADLINE, connection).await;
}

impl Page {
    fn answer(&self, path: &str) -> Response<Full<Bytes>> {
        if path == self.path {
            return Response::new(Full::from(format!("{}\n", self.nonce)));
        }
        let mut missing = Response::new(Full::from("404 page not found\n"));
        *missing.status_mut() = StatusCode::NOT_FOUND;
        missing
    }
}

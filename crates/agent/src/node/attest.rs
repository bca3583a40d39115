//! Proving to the server which node this is.

use std::sync::Arc;

use async_trait::async_trait;
use model::ports::{AttestError, NodeProof, Prover};
use proto::spire::api::server::agent::v1::agent_client::AgentClient;
use proto::spire::api::server::agent::v1::{
    AgentX509svidParams, AttestAgentRequest, AttestAgentResponse, attest_agent_request, attest_agent_response,
};
use proto::spire::api::types::AttestationData;
use spiffe::key::{SignError, Signer};
use spiffe::x509::{Csr, SvidError, X509Svid};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};
use tracing::Instrument as _;

use crate::link::{Connection, deadline};

/// Why a node was not attested.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttestFault {
    /// The server said no, or could not be reached.
    #[error("{}", crate::link::explain(.0))]
    Server(Status),
    /// The agent's own half of the attestor failed.
    #[error("the node attestor failed: {0}")]
    Proof(AttestError),
    /// The request could not be signed.
    #[error("the certificate request could not be signed: {0}")]
    Csr(#[from] SignError),
    /// The server's answer makes no sense.
    #[error("the server's answer makes no sense: {0}")]
    Answer(&'static str),
    /// The server issued something else.
    #[error("the server issued a malformed SVID: {0}")]
    Svid(#[from] SvidError),
}

impl AttestFault {
    /// How it counts among calls.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Server(status) => status.code(),
            Self::Proof(_) | Self::Csr(_) | Self::Answer(_) | Self::Svid(_) => Code::Unknown,
        }
    }
}

/// The SVID of a node that was attested.
pub(crate) struct Attestation {
    pub(crate) svid: X509Svid,
    pub(crate) reattestable: bool,
}

/// Proves the node over this connection, for this key.
pub(crate) async fn attest(
    channel: Connection,
    proof: &dyn NodeProof,
    key: &Arc<dyn Signer>,
) -> Result<Attestation, AttestFault> {
    let csr = Csr::build(key.as_ref(), None, &[])?;
    let mut conversation = Conversation::new(channel, proof.name(), csr, key.public().spki_der().to_vec());
    let span = kit::traced!("node.attest", attestor = proof.name());
    let proved = proof.prove(&mut conversation).instrument(span).await;
    // What the server said explains more than what the attestor made of it.
    if let Some(status) = conversation.refused {
        return Err(AttestFault::Server(status));
    }
    proved.map_err(AttestFault::Proof)?;
    let result = conversation.result.ok_or(AttestFault::Answer("the attestation ended without a result"))?;
    let chain = result.svid.ok_or(AttestFault::Answer("it holds no SVID"))?.cert_chain;
    Ok(Attestation { svid: checked(X509Svid::parse_chain(chain)?, key)?, reattestable: result.reattestable })
}

/// The SVID, if it was issued for this key.
pub(crate) fn checked(svid: X509Svid, key: &Arc<dyn Signer>) -> Result<X509Svid, AttestFault> {
    match svid.leaf().spki() == key.public().spki_der() {
        true => Ok(svid),
        false => Err(AttestFault::Answer("the SVID is for another key")),
    }
}

struct Conversation {
    client: AgentClient<Connection>,
    attestor: &'static str,
    csr: Vec<u8>,
    key: Vec<u8>,
    stream: Option<(mpsc::Sender<AttestAgentRequest>, Streaming<AttestAgentResponse>)>,
    refused: Option<Status>,
    result: Option<attest_agent_response::Result>,
}

impl Conversation {
    fn new(channel: Connection, attestor: &'static str, csr: Vec<u8>, key: Vec<u8>) -> Self {
        let client = AgentClient::new(channel);
        Self { client, attestor, csr, key, stream: None, refused: None, result: None }
    }

    async fn exchange(&mut self, message: Vec<u8>) -> Result<AttestAgentResponse, Status> {
        let step = match self.stream {
            None => attest_agent_request::Step::Params(attest_agent_request::Params {
                data: Some(AttestationData { r#type: self.attestor.to_owned(), payload: message }),
                params: Some(AgentX509svidParams { csr: self.csr.clone() }),
            }),
            Some(_) => attest_agent_request::Step::ChallengeResponse(message),
        };
        let request = AttestAgentRequest { step: Some(step) };
        let answers = match &mut self.stream {
            Some((requests, answers)) => {
                // A stream that ended says why when it is read.
                let _ = requests.send(request).await;
                answers
            }
            None => {
                let (requests, queue) = mpsc::channel(1);
                let _ = requests.send(request).await;
                let answers = self.client.attest_agent(ReceiverStream::new(queue)).await?.into_inner();
                &mut self.stream.insert((requests, answers)).1
            }
        };
        answers
            .message()
            .await?
            .ok_or_else(|| Status::unavailable("the server closed the attestation stream"))
    }
}

#[async_trait]
impl Prover for Conversation {
    fn key(&self) -> Option<Vec<u8>> {
        Some(self.key.clone())
    }

    async fn send(&mut self, message: Vec<u8>) -> Result<Option<Vec<u8>>, AttestError> {
        match deadline(self.exchange(message)).await {
            Ok(AttestAgentResponse { step: Some(attest_agent_response::Step::Challenge(challenge)) }) => {
                Ok(Some(challenge))
            }
            Ok(AttestAgentResponse { step: Some(attest_agent_response::Step::Result(result)) }) => {
                self.result = Some(result);
                Ok(None)
            }
            Ok(AttestAgentResponse { step: None }) => {
                Err(AttestError::BrokenOff("the server sent an empty answer".to_owned()))
            }
            Err(status) => {
                let fault = AttestError::BrokenOff(status.message().to_owned());
                self.refused = Some(status);
                Err(fault)
            }
        }
    }
}

//! A node that a plugin proves.

use std::time::Duration;

use async_trait::async_trait;
use model::ports::{self, AttestError, Prover};
use proto::spire::plugin::agent::nodeattestor::v1::Challenge;
use proto::spire::plugin::agent::nodeattestor::v1::node_attestor_client::NodeAttestorClient;
use proto::spire::plugin::agent::nodeattestor::v1::payload_or_challenge_response::Data;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::call::{MAX_MESSAGE, said};
use crate::plugin::Plugin;

/// How long a plugin may take for a step.
const STEP: Duration = Duration::from_secs(60);

/// The agent's half of a node attestor in another process.
pub struct NodeProof(Plugin);

impl NodeProof {
    /// This node, proved by this plugin.
    #[must_use]
    pub fn new(plugin: Plugin) -> Self {
        Self(plugin)
    }

    fn failed(&self, status: &Status) -> AttestError {
        AttestError::Failed(said(&self.0, status).to_owned())
    }

    async fn next<T>(&self, answers: &mut Streaming<T>, closed: &str) -> Result<T, AttestError> {
        let failed = |why: String| AttestError::Failed(why);
        let answer = tokio::time::timeout(STEP, answers.message()).await;
        let answer = answer.map_err(|_| failed(format!("the plugin took longer than {STEP:?}")))?;
        answer.map_err(|status| self.failed(&status))?.ok_or_else(|| failed(closed.to_owned()))
    }
}

#[async_trait]
impl ports::NodeProof for NodeProof {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    async fn prove(&self, server: &mut dyn Prover) -> Result<(), AttestError> {
        let (to_plugin, challenges) = mpsc::channel(1);
        let mut client = NodeAttestorClient::new(self.0.channel()).max_decoding_message_size(MAX_MESSAGE);
        let stream =
            tokio::time::timeout(STEP, client.aid_attestation(ReceiverStream::new(challenges))).await;
        let stream = stream.map_err(|_| AttestError::Failed("the plugin does not answer".to_owned()))?;
        let mut answers = stream.map_err(|status| self.failed(&status))?.into_inner();
        let closed = "plugin closed stream before returning attestation data";
        let Some(Data::Payload(payload)) = self.next(&mut answers, closed).await?.data.filter(is_something)
        else {
            return Err(AttestError::Failed("plugin response missing attestation payload".to_owned()));
        };
        let mut challenge = server.send(payload).await?;
        while let Some(bytes) = challenge {
            let closed = "plugin closed stream before handling the challenge";
            let gone = |_| AttestError::Failed(closed.to_owned());
            to_plugin.send(Challenge { challenge: bytes }).await.map_err(gone)?;
            let answer = self.next(&mut answers, closed).await?.data.filter(is_something);
            let Some(Data::ChallengeResponse(response)) = answer else {
                return Err(AttestError::Failed("plugin response missing challenge response".to_owned()));
            };
            challenge = server.send(response).await?;
        }
        Ok(())
    }
}

fn is_something(data: &Data) -> bool {
    let (Data::Payload(bytes) | Data::ChallengeResponse(bytes)) = data;
    !bytes.is_empty()
}

//! Nodes that a plugin judges.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use model::ports::{self, AttestError, Challenger};
use model::{Attested, Selector, Selectors};
use proto::spire::plugin::server::nodeattestor::v1::attest_request::Request as Ask;
use proto::spire::plugin::server::nodeattestor::v1::attest_response::Response as Answer;
use proto::spire::plugin::server::nodeattestor::v1::node_attestor_client::NodeAttestorClient;
use proto::spire::plugin::server::nodeattestor::v1::{AgentAttributes, AttestRequest};
use spiffe::{SpiffeId, TrustDomain};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Status};

use crate::call::{MAX_MESSAGE, said};
use crate::plugin::Plugin;

/// How long a plugin may take for a step. It may ask a cloud.
const STEP: Duration = Duration::from_secs(60);
/// The most challenges that a node is sent.
const MAX_CHALLENGES: usize = 32;
/// The most selectors of a node.
const MAX_SELECTORS: usize = 4096;
/// The node's address as this server sees it, for the plugin. Empty when it is not known.
const CLIENT_IP: &str = "x-forwarded-client-ip";
/// By what name the node asked for this server, unchecked.
const ASKED_HOST: &str = "x-untrusted-forwarded-host";

/// The server's half of a node attestor in another process.
pub struct NodeAttestor {
    plugin: Plugin,
    trust_domain: TrustDomain,
}

impl NodeAttestor {
    /// Nodes of this trust domain, judged by this plugin.
    #[must_use]
    pub fn new(plugin: Plugin, trust_domain: TrustDomain) -> Self {
        Self { plugin, trust_domain }
    }

    fn failed(&self, status: &Status) -> AttestError {
        let why = said(&self.plugin, status).to_owned();
        match status.code() {
            Code::InvalidArgument => AttestError::Invalid(why),
            Code::PermissionDenied => AttestError::Denied(why),
            _ => AttestError::Failed(why),
        }
    }

    fn attested(&self, attributes: AgentAttributes, now: SystemTime) -> Result<Attested, AttestError> {
        let failed = |why: String| AttestError::Failed(why);
        if attributes.spiffe_id.is_empty() {
            return Err(failed("plugin response missing agent ID".to_owned()));
        }
        let id = SpiffeId::parse(&attributes.spiffe_id)
            .map_err(|e| failed(format!("plugin response has a malformed agent ID: {e}")))?;
        let below = format!("/spire/agent/{}/", self.plugin.name());
        if !id.member_of(&self.trust_domain) || !id.path().starts_with(&below) {
            let td = &self.trust_domain;
            return Err(failed(format!("invalid agent ID: {id} is not below spiffe://{td}{below}")));
        }
        if attributes.selector_values.len() > MAX_SELECTORS {
            return Err(failed(format!("plugin response has more than {MAX_SELECTORS} selectors")));
        }
        let name = self.plugin.name();
        let selectors = attributes.selector_values.iter().map(|value| Selector::new(name, value));
        let selectors: Selectors = selectors
            .collect::<Result<_, _>>()
            .map_err(|e| failed(format!("plugin response has an unusable selector: {e}")))?;
        Ok(Attested::vouched_by(name, id, selectors, attributes.can_reattest, now))
    }
}

#[async_trait]
impl ports::NodeAttestor for NodeAttestor {
    fn name(&self) -> &'static str {
        self.plugin.name()
    }

    async fn attest(
        &self,
        payload: &[u8],
        node: &mut dyn Challenger,
        now: SystemTime,
    ) -> Result<Attested, AttestError> {
        let gone = || AttestError::Failed("plugin closed stream unexpectedly".to_owned());
        let ask = |request| AttestRequest { request: Some(request) };
        let (to_plugin, requests) = mpsc::channel(1);
        to_plugin.send(ask(Ask::Payload(payload.to_vec()))).await.map_err(|_| gone())?;
        let mut request = Request::new(ReceiverStream::new(requests));
        let address = node.address().map(|address| address.to_string()).unwrap_or_default();
        for (name, value) in [(CLIENT_IP, address.as_str()), (ASKED_HOST, node.asked_host())] {
            if let Ok(value) = value.parse() {
                request.metadata_mut().insert(name, value);
            }
        }
        let late = |_| AttestError::Failed(format!("the plugin took longer than {STEP:?}"));
        let mut client =
            NodeAttestorClient::new(self.plugin.channel()).max_decoding_message_size(MAX_MESSAGE);
        let stream = tokio::time::timeout(STEP, client.attest(request)).await.map_err(late)?;
        let mut answers = stream.map_err(|status| self.failed(&status))?.into_inner();
        for _ in 0..=MAX_CHALLENGES {
            let answer = tokio::time::timeout(STEP, answers.message()).await.map_err(late)?;
            let answer = answer.map_err(|status| self.failed(&status))?.ok_or_else(gone)?;
            match answer.response {
                Some(Answer::AgentAttributes(attributes)) => return self.attested(attributes, now),
                Some(Answer::Challenge(challenge)) => {
                    let response = node.challenge(challenge).await?;
                    to_plugin.send(ask(Ask::ChallengeResponse(response))).await.map_err(|_| gone())?;
                }
                None => {
                    let why = "plugin response missing challenge or agent attributes";
                    return Err(AttestError::Failed(why.to_owned()));
                }
            }
        }
        Err(AttestError::Failed(format!("the plugin sent more than {MAX_CHALLENGES} challenges")))
    }
}

//! `spire.api.server.agent.v1.Agent`: attestation, renewal, and the list of agents.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::Stream;
use kit::clock::Clock;
use kit::status::with_detail;
use model::ports::{AttestError, Challenger, NodeAttestor, TokenSpender};
use model::{Agent, Attested, Expect, JoinToken, Selector, Selectors, UnixTime, Write, WriteFault, graph};
use proto::spire::api::server::agent::v1::{
    self as wire, agent_server, attest_agent_request, attest_agent_response,
};
use proto::spire::api::types::{self, PermissionDeniedDetails, permission_denied_details::Reason};
use spiffe::{SpiffeId, TrustDomain};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};
use tracing::Instrument as _;
use tracing::field::Empty;
use zeroize::Zeroizing;

use super::convert::{self, wire_agent, wire_id};
use super::failure;
use super::filter::AgentFilter;
use super::page::Page;
use crate::agent_removal::Removal;
use crate::authority::{AgentSvid, Authorities};
use crate::authz::{AskedHost, Caller, Kind, Peer};
use crate::registry::{Registry, RegistryError};
use crate::sweep::Deadlines;

/// How often a write is computed anew when another writer came first.
const ATTEMPTS: usize = 5;
/// The longest agent version that is kept.
const MAX_VERSION: usize = 255;
/// The longest join token that an operator may choose.
const MAX_TOKEN: usize = 255;
/// How long a node may take for its next step of an attestation.
const STEP: std::time::Duration = std::time::Duration::from_secs(60);

/// The service.
#[derive(Clone)]
pub struct AgentApi {
    /// This server's trust domain.
    pub trust_domain: TrustDomain,
    /// The registry.
    pub registry: Arc<Registry>,
    /// What signs.
    pub authorities: Authorities,
    /// Node attestors by name.
    pub attestors: Arc<HashMap<&'static str, Arc<dyn NodeAttestor>>>,
    /// The time.
    pub clock: Clock,
    /// Told when a token will end.
    pub deadlines: Arc<Deadlines>,
    /// Whether each agent also gets the selector `spiffe_id:<its ID>`.
    pub agent_id_as_selector: bool,
}

type AttestStream = Pin<Box<dyn Stream<Item = Result<wire::AttestAgentResponse, Status>> + Send>>;

#[tonic::async_trait]
impl agent_server::Agent for AgentApi {
    async fn count_agents(
        &self,
        request: Request<wire::CountAgentsRequest>,
    ) -> Result<Response<wire::CountAgentsResponse>, Status> {
        let filter = AgentFilter::of_count(request.into_inner().filter)?;
        let count = self.registry.snapshot().agents_after(0).filter(|a| filter.admits(a)).count();
        Ok(Response::new(wire::CountAgentsResponse { count: i32::try_from(count).unwrap_or(i32::MAX) }))
    }

    async fn list_agents(
        &self,
        request: Request<wire::ListAgentsRequest>,
    ) -> Result<Response<wire::ListAgentsResponse>, Status> {
        let request = request.into_inner();
        let page = Page::of(request.page_size, &request.page_token)?;
        let filter = AgentFilter::of_list(request.filter)?;
        let mask = request.output_mask;
        let snapshot = self.registry.snapshot();
        let found = snapshot.agents_after(page.after()).filter(|a| filter.admits(a));
        let (agents, next_page_token) = page.cut(found, |a| a.ord, |a| wire_agent(a, mask.as_ref()));
        Ok(Response::new(wire::ListAgentsResponse { agents, next_page_token }))
    }

    async fn get_agent(
        &self,
        request: Request<wire::GetAgentRequest>,
    ) -> Result<Response<types::Agent>, Status> {
        let request = request.into_inner();
        let id = self.agent_id(request.id.as_ref())?;
        let agent = self.find_sure(&id).await?.ok_or_else(|| Status::not_found("agent not found"))?;
        Ok(Response::new(wire_agent(&agent, request.output_mask.as_ref())))
    }

    async fn delete_agent(&self, request: Request<wire::DeleteAgentRequest>) -> Result<Response<()>, Status> {
        let id = self.agent_id(request.into_inner().id.as_ref())?;
        let removal = Removal::of(&self.registry.snapshot(), &id);
        match self.registry.write(removal.write()).await {
            Ok(_) => {
                removal.tell();
                tracing::info!(spiffe_id = %id, "Agent deleted");
                Ok(Response::new(()))
            }
            Err(RegistryError::Refused(WriteFault::NotFound(_))) => Err(Status::not_found("agent not found")),
            Err(error) => Err(failure::registry("failed to remove agent", &error)),
        }
    }

    async fn ban_agent(&self, request: Request<wire::BanAgentRequest>) -> Result<Response<()>, Status> {
        let id = self.agent_id(request.into_inner().id.as_ref())?;
        self.change(&id, "failed to ban agent", |agent| {
            agent.serial = String::new();
            agent.new_serial = String::new();
            agent.new_expires_at = None;
        })
        .await?;
        tracing::info!(spiffe_id = %id, "Agent banned");
        Ok(Response::new(()))
    }

    type AttestAgentStream = AttestStream;

    async fn attest_agent(
        &self,
        request: Request<Streaming<wire::AttestAgentRequest>>,
    ) -> Result<Response<AttestStream>, Status> {
        let caller = Caller::of(&request)?;
        caller
            .throttle(Kind::Attest, 1)
            .await
            .map_err(|e| failure::limited("rejecting request due to attest agent rate limiting", &e))?;
        let address = match caller.peer() {
            Peer::Remote { addr, .. } => Some(addr.ip()),
            _ => None,
        };
        let asked = request.extensions().get::<AskedHost>().cloned().unwrap_or_default();
        let (answers, stream) = mpsc::channel(1);
        let api = self.clone();
        let mut node = Conversation {
            requests: request.into_inner(),
            answers: answers.clone(),
            address,
            asked,
            csr: Vec::new(),
        };
        // The response must be under way before the node's first message is waited for.
        let attestation = async move {
            let result = api.attest(&mut node).await;
            let _ = answers.send(result).await;
        };
        tokio::spawn(attestation.in_current_span());
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn renew_agent(
        &self,
        request: Request<wire::RenewAgentRequest>,
    ) -> Result<Response<wire::RenewAgentResponse>, Status> {
        Caller::of(&request)?
            .throttle(Kind::SignX509, 1)
            .await
            .map_err(|e| failure::limited("rejecting request due to renew agent rate limiting", &e))?;
        let caller = Caller::of(&request)?.require_agent()?;
        if caller.agent().can_reattest {
            let details = PermissionDeniedDetails { reason: Reason::AgentMustReattest.into() };
            return Err(with_detail(
                Code::PermissionDenied,
                "agent must reattest instead of renew",
                "type.googleapis.com/spire.api.types.PermissionDeniedDetails",
                &details,
            ));
        }
        tracing::info!(agent_id = %caller.id(), "Renewing agent SVID");
        let params =
            request.into_inner().params.ok_or_else(|| Status::invalid_argument("params cannot be nil"))?;
        if params.csr.is_empty() {
            return Err(Status::invalid_argument("missing CSR"));
        }
        let svid = self.authorities.renew_agent_svid(&caller, params.csr).await?;
        self.change(caller.id(), "failed to update agent", |agent| {
            agent.new_serial = svid.serial();
            agent.new_expires_at = Some(UnixTime::of(svid.expires_at()));
        })
        .await?;
        Ok(Response::new(wire::RenewAgentResponse { svid: Some(wire_svid(&svid)) }))
    }

    async fn create_join_token(
        &self,
        request: Request<wire::CreateJoinTokenRequest>,
    ) -> Result<Response<types::JoinToken>, Status> {
        let request = request.into_inner();
        if request.ttl < 1 {
            return Err(Status::invalid_argument("ttl is required, you must provide one"));
        }
        let alias = match &request.agent_id {
            Some(id) => Some(
                convert::workload(&self.trust_domain, Some(id))
                    .map_err(|e| failure::invalid("invalid agent ID", e))?,
            ),
            None => None,
        };
        let value = match request.token.as_str() {
            "" => uuid::Uuid::new_v4().to_string(),
            chosen => chosen.to_owned(),
        };
        let node_id = self.token_agent_id(&value).map_err(|why| failure::invalid("invalid token", why))?;
        let expires_at = UnixTime(UnixTime::of(self.clock.now()).0.saturating_add(i64::from(request.ttl)));
        let token = JoinToken { value: Zeroizing::new(value.clone()), expires_at };
        let mut writes = vec![Write::CreateToken(token)];
        if let Some(alias) = alias {
            writes.push(Write::CreateEntry(self.token_alias(&node_id, alias)?));
        }
        match self.registry.write(Write::All(writes)).await {
            Ok(_) => {
                self.deadlines.token(expires_at);
                Ok(Response::new(types::JoinToken { value, expires_at: expires_at.0 }))
            }
            Err(error) => Err(failure::registry("failed to create token", &error)),
        }
    }

    async fn post_status(
        &self,
        request: Request<wire::PostStatusRequest>,
    ) -> Result<Response<wire::PostStatusResponse>, Status> {
        Caller::of(&request)?
            .throttle(Kind::PostStatus, 1)
            .await
            .map_err(|e| failure::limited("rejecting request due to post status rate limiting", &e))?;
        let caller = Caller::of(&request)?.require_agent()?;
        let version = request.into_inner().agent_version;
        if version.len() > MAX_VERSION {
            return Err(Status::invalid_argument("agent version is too long (max 255 characters)"));
        }
        if !version.is_empty() && version != caller.agent().version {
            self.change(caller.id(), "failed to update agent", |agent| agent.version = version.clone())
                .await?;
        }
        Ok(Response::new(wire::PostStatusResponse {}))
    }
}

impl AgentApi {
    fn agent_id(&self, wire: Option<&types::Spiffeid>) -> Result<SpiffeId, Status> {
        convert::agent_id(&self.trust_domain, wire).map_err(|e| failure::invalid("invalid agent ID", e))
    }

    /// The agent of that ID; its absence is said only by the newest state.
    async fn find_sure(&self, id: &SpiffeId) -> Result<Option<Arc<Agent>>, Status> {
        if let Some(agent) = self.registry.snapshot().agent(id) {
            return Ok(Some(agent.clone()));
        }
        self.registry.catch_up().await.map_err(|e| failure::registry("failed to fetch agent", &e))?;
        Ok(self.registry.snapshot().agent(id).cloned())
    }

    /// Changes an agent's row, as often as others get in between.
    async fn change(&self, id: &SpiffeId, what: &str, edit: impl Fn(&mut Agent)) -> Result<(), Status> {
        for _ in 0..ATTEMPTS {
            let old = self.find_sure(id).await?.ok_or_else(|| Status::not_found("agent not found"))?;
            let mut agent = Agent::clone(&old);
            edit(&mut agent);
            let write = Write::PutAgent { agent, expect: Expect::Revision(old.revision.unsigned_abs()) };
            match self.registry.write(write).await {
                Ok(_) => return Ok(()),
                Err(RegistryError::Refused(WriteFault::Conflict(_) | WriteFault::NotFound(_))) => {
                    self.registry.catch_up().await.map_err(|e| failure::registry(what, &e))?;
                }
                Err(error) => return Err(failure::registry(what, &error)),
            }
        }
        Err(Status::aborted(format!("{what}: others keep changing it; try again")))
    }

    /// The ID that a node attested by this token gets.
    fn token_agent_id(&self, token: &str) -> Result<SpiffeId, String> {
        if token.len() > MAX_TOKEN {
            return Err(format!("the token is {} bytes long; at most {MAX_TOKEN} are accepted", token.len()));
        }
        SpiffeId::new(&self.trust_domain, &format!("/spire/agent/join_token/{token}"))
            .map_err(|e| format!("the token becomes a part of the agent's SPIFFE ID: {e}"))
    }

    /// The entry that gives a token's node a second, chosen ID.
    fn token_alias(&self, node_id: &SpiffeId, alias: SpiffeId) -> Result<model::Entry, Status> {
        let wire = types::Entry {
            parent_id: Some(wire_id(node_id)),
            spiffe_id: Some(wire_id(&alias)),
            selectors: vec![types::Selector { r#type: "spiffe_id".to_owned(), value: node_id.to_string() }],
            ..types::Entry::default()
        };
        let now = UnixTime::of(self.clock.now());
        convert::new_entry(&self.trust_domain, &wire, || uuid::Uuid::new_v4().to_string(), now)
            .map_err(|why| failure::invalid("failed to create join token registration entry", why))
    }

    async fn attest(&self, node: &mut Conversation) -> Result<wire::AttestAgentResponse, Status> {
        let first = node.next().await?;
        let params = match first.step {
            Some(attest_agent_request::Step::Params(params)) => params,
            _ => return Err(failure::invalid("malformed param", "missing params")),
        };
        let (data, svid_params) = checked(params).map_err(|why| failure::invalid("malformed param", why))?;
        let attestor = self.attestors.get(data.r#type.as_str()).ok_or_else(|| {
            let known: Vec<_> = self.attestors.keys().copied().collect();
            Status::failed_precondition(format!(
                "error getting node attestor: could not find node attestor type \"{}\" (this server has: {})",
                data.r#type,
                known.join(", ")
            ))
        })?;
        node.csr.clone_from(&svid_params.csr);
        let span = kit::traced!("attest", attestor = attestor.name(), spiffe_id = Empty, error = Empty);
        let attested =
            attestor.attest(&data.payload, node, self.clock.now()).instrument(span.clone()).await.map_err(
                |e| {
                    span.record("error", e.to_string());
                    refusal(attestor.name(), &e)
                },
            )?;
        span.record("spiffe_id", attested.agent_id().as_str());
        drop(span);
        let id = attested.agent_id().clone();
        self.admissible(&id)?;
        self.first_use(&attested)?;
        let svid = self.authorities.sign_agent_svid(&attested, svid_params.csr).await?;
        self.enrol(&attested, &svid).await?;
        tracing::info!(agent_id = %id, node_attestor_type = attested.attestor(), "Agent attestation request completed");
        let result = attest_agent_response::Result {
            svid: Some(wire_svid(&svid)),
            reattestable: attested.can_reattest(),
        };
        Ok(wire::AttestAgentResponse { step: Some(attest_agent_response::Step::Result(result)) })
    }

    /// An attestor may name agents only.
    fn admissible(&self, id: &SpiffeId) -> Result<(), Status> {
        if id.path() == graph::SERVER_PATH {
            return Err(Status::internal("agent ID cannot collide with the server ID"));
        }
        if !id.member_of(&self.trust_domain) || !id.path().starts_with("/spire/agent/") {
            return Err(Status::internal(format!(
                "the node attestor named \"{id}\", which is not an agent of this trust domain"
            )));
        }
        if self.registry.snapshot().agent(id).is_some_and(|agent| agent.is_banned()) {
            return Err(Status::permission_denied("failed to attest: agent is banned"));
        }
        Ok(())
    }

    /// A proof that counts once does not count for an agent that is known, whatever became of it (SPIRE 1.16).
    fn first_use(&self, attested: &Attested) -> Result<(), Status> {
        let id = attested.agent_id();
        if !attested.is_on_first_use() || self.registry.snapshot().agent(id).is_none() {
            return Ok(());
        }
        tracing::error!(spiffe_id = %id, "Attestation data has already been used to attest an agent");
        let why = "attestation data has already been used to attest an agent".to_owned();
        Err(refusal(attested.attestor(), &AttestError::Denied(why)))
    }

    /// Writes the agent down, new or again. A ban that came meanwhile stands.
    async fn enrol(&self, attested: &Attested, svid: &AgentSvid) -> Result<(), Status> {
        for _ in 0..ATTEMPTS {
            let id = attested.agent_id();
            let old = self.find_sure(id).await?;
            self.admissible(id)?;
            self.first_use(attested)?;
            let agent = Agent {
                id: id.clone(),
                ord: old.as_ref().map_or(0, |a| a.ord),
                attestation_type: attested.attestor().to_owned(),
                serial: svid.serial(),
                expires_at: UnixTime::of(svid.expires_at()),
                new_serial: String::new(),
                new_expires_at: None,
                selectors: self.node_selectors(attested)?,
                can_reattest: attested.can_reattest(),
                version: old.as_ref().map(|a| a.version.clone()).unwrap_or_default(),
                revision: old.as_ref().map_or(0, |a| a.revision),
            };
            let expect = old.map_or(Expect::Absent, |a| Expect::Revision(a.revision.unsigned_abs()));
            match self.registry.write(Write::PutAgent { agent, expect }).await {
                Ok(_) => return Ok(()),
                Err(RegistryError::Refused(
                    WriteFault::Conflict(_) | WriteFault::Exists(_) | WriteFault::NotFound(_),
                )) => {
                    self.registry
                        .catch_up()
                        .await
                        .map_err(|e| failure::registry("failed to fetch agent", &e))?;
                }
                Err(error) => return Err(failure::registry("failed to create attested agent", &error)),
            }
        }
        Err(Status::aborted("failed to create attested agent: others keep changing it; try again"))
    }

    fn node_selectors(&self, attested: &Attested) -> Result<Selectors, Status> {
        let id = match self.agent_id_as_selector {
            true => Some(
                Selector::new("spiffe_id", attested.agent_id().as_str())
                    .map_err(|e| Status::internal(e.to_string()))?,
            ),
            false => None,
        };
        Ok(attested.selectors().iter().cloned().chain(id).collect())
    }
}

/// What the node must say first (SPIRE 1.16's order of checks).
fn checked(
    params: attest_agent_request::Params,
) -> Result<(types::AttestationData, wire::AgentX509svidParams), &'static str> {
    let data = params.data.ok_or("missing attestation data")?;
    let svid = params.params.ok_or("missing X509-SVID parameters")?;
    if svid.csr.is_empty() {
        return Err("missing CSR");
    }
    if data.r#type.is_empty() {
        return Err("missing attestation data type");
    }
    if data.payload.is_empty() {
        return Err("missing attestation data payload");
    }
    Ok((data, svid))
}

/// SPIRE names the attestor before what it says, but for join tokens, which its server judges itself.
fn refusal(attestor: &str, error: &AttestError) -> Status {
    tracing::error!(error = %error, node_attestor_type = attestor, "Node attestation failed");
    let say = |why: &str| match attestor {
        "join_token" => why.to_owned(),
        attestor => format!("nodeattestor({attestor}): {why}"),
    };
    match error {
        AttestError::Invalid(why) => Status::invalid_argument(say(why)),
        AttestError::Denied(why) => Status::permission_denied(say(why)),
        AttestError::Failed(why) => Status::internal(say(why)),
        AttestError::BrokenOff(why) => Status::aborted(say(why)),
    }
}

fn wire_svid(svid: &AgentSvid) -> types::X509svid {
    types::X509svid {
        cert_chain: svid.chain().iter().map(|c| c.der().to_vec()).collect(),
        id: Some(wire_id(svid.id())),
        expires_at: UnixTime::of(svid.expires_at()).0,
        hint: String::new(),
    }
}

/// The stream between a node and its attestor.
struct Conversation {
    requests: Streaming<wire::AttestAgentRequest>,
    answers: mpsc::Sender<Result<wire::AttestAgentResponse, Status>>,
    address: Option<IpAddr>,
    asked: AskedHost,
    csr: Vec<u8>,
}

impl Conversation {
    async fn next(&mut self) -> Result<wire::AttestAgentRequest, Status> {
        match tokio::time::timeout(STEP, self.requests.next()).await {
            Ok(Some(Ok(message))) => Ok(message),
            Ok(Some(Err(status))) => {
                Err(failure::invalid("failed to receive request from stream", status.message()))
            }
            Ok(None) => Err(failure::invalid("failed to receive request from stream", "the node closed it")),
            Err(_) => Err(Status::deadline_exceeded("the node took longer than 60 seconds for a step")),
        }
    }
}

#[async_trait]
impl Challenger for Conversation {
    async fn challenge(&mut self, challenge: Vec<u8>) -> Result<Vec<u8>, AttestError> {
        let step = Some(attest_agent_response::Step::Challenge(challenge));
        let gone = || AttestError::BrokenOff("the node went away".to_owned());
        self.answers.send(Ok(wire::AttestAgentResponse { step })).await.map_err(|_| gone())?;
        match self.next().await.map_err(|status| AttestError::BrokenOff(status.message().to_owned()))?.step {
            Some(attest_agent_request::Step::ChallengeResponse(response)) => Ok(response),
            _ => Err(AttestError::Invalid("a challenge response was expected".to_owned())),
        }
    }

    fn address(&self) -> Option<IpAddr> {
        self.address
    }

    fn asked_host(&self) -> &str {
        self.asked.as_str()
    }

    fn key(&self) -> Option<Vec<u8>> {
        let csr = spiffe::x509::Csr::parse(&self.csr).ok()?;
        Some(csr.public_key().spki_der().to_vec())
    }
}

/// Spends join tokens in the database, in one transaction each: a token never serves two nodes.
pub struct RegistryTokens {
    /// The registry.
    pub registry: Arc<Registry>,
    /// The time.
    pub clock: Clock,
}

#[async_trait]
impl TokenSpender for RegistryTokens {
    async fn spend(&self, token: &str) -> Result<(), AttestError> {
        let write = Write::SpendToken {
            value: Zeroizing::new(token.to_owned()),
            now: UnixTime::of(self.clock.now()),
        };
        match self.registry.write(write).await {
            Ok(_) => Ok(()),
            Err(RegistryError::Refused(WriteFault::NotFound(_))) => Err(AttestError::Invalid(
                "failed to attest: join token does not exist or has already been used".to_owned(),
            )),
            Err(RegistryError::Refused(WriteFault::TokenExpired)) => {
                Err(AttestError::Invalid("join token expired".to_owned()))
            }
            Err(error) => Err(AttestError::Failed(format!("failed to spend join token: {error}"))),
        }
    }
}

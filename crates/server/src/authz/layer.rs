//! Asks the table before any handler runs.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http_body_util::{BodyExt as _, Full, Limited};
use kit::clock::Clock;
use kit::rpc::Deadline;
use kit::status::with_detail;
use model::ports::{CallPolicy, CallQuestion};
use model::{Agent, Expect, UnixTime, Write, WriteFault};
use proto::spire::api::types::{PermissionDeniedDetails, permission_denied_details::Reason};
use spiffe::x509::VerifiedSvid;
use spiffe::{SpiffeId, TrustDomain};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::asked_host::AskedHost;
use super::caller::{Caller, Peer, Standing};
use super::grants::{AdminGrant, AuthorizedAgent, DownstreamGrant};
use super::limit::Limiter;
use super::question;
use super::table::{self, Who};
use crate::registry::{Registry, RegistryError};

/// What is needed to judge a caller.
pub struct Authorizer {
    /// This server's trust domain.
    pub trust_domain: TrustDomain,
    /// Administrators by configuration, of foreign trust domains too.
    pub admin_ids: HashSet<SpiffeId>,
    /// The registry.
    pub registry: Arc<Registry>,
    /// The time.
    pub clock: Clock,
    /// How often an address may ask.
    pub limiter: Arc<Limiter>,
    /// The operator's policy, which then stands in the place of the table.
    pub policy: Option<Arc<dyn CallPolicy>>,
}

impl Authorizer {
    /// Judges a call of `method` by `peer`; in SPIRE's order: open, local, admin, downstream, agent.
    pub async fn authorize(
        &self,
        method: &str,
        peer: Arc<Peer>,
        request: Option<&serde_json::Value>,
    ) -> Result<Caller, Status> {
        let local = matches!(*peer, Peer::Local { .. });
        // Who comes over the network learns nothing of what the admin socket has.
        let Some(row) = table::find(method).filter(|row| local || !row.socket_only) else {
            return Err(unknown(method));
        };
        let (who, allowed) = self.who(row, &peer, request)?;
        let allow = |standing| {
            let (peer, limiter) = (peer.clone(), self.limiter.clone());
            Ok(Caller { peer, standing, limiter, method: row.method, deadline: None })
        };
        if who.includes(Who::ANY) {
            return allow(Standing::Nobody);
        }
        if allowed && let Some(standing) = by_policy(row.who, &peer) {
            return allow(standing);
        }
        if who.includes(Who::LOCAL) && local {
            return allow(Standing::Local(AdminGrant::local()));
        }
        let denied = || Status::permission_denied(format!("authorization denied for method {method}"));
        let Peer::Remote { svid: Some(svid), .. } = &*peer else { return Err(denied()) };
        let id = svid.id();
        // A connection may outlive the SVID that it began with. An agent is told below.
        let ended = svid.expires_at() <= self.clock.now();
        if ended && !who.includes(Who::AGENT) {
            return Err(denied());
        }
        if !ended && who.includes(Who::ADMIN) && (self.admin_ids.contains(id) || self.holds(id, |e| e.admin))
        {
            return allow(Standing::Admin(AdminGrant::of(id.clone())));
        }
        if !ended && who.includes(Who::DOWNSTREAM) && self.holds(id, |e| e.downstream) {
            return allow(Standing::Downstream(DownstreamGrant::of(id.clone())));
        }
        if who.includes(Who::AGENT) {
            return match self.agent(svid).await {
                Ok(agent) => allow(Standing::Agent(agent)),
                Err(Refusal::Because(reason, why)) => {
                    tracing::error!(agent_id = %id, reason = reason.as_str_name(), "{why}");
                    let details = PermissionDeniedDetails { reason: reason.into() };
                    Err(with_detail(
                        Code::PermissionDenied,
                        denied().message(),
                        "type.googleapis.com/spire.api.types.PermissionDeniedDetails",
                        &details,
                    ))
                }
                Err(Refusal::Failed(status)) => Err(status),
            };
        }
        Err(denied())
    }

    /// Who may call: by the table, or by the policy, which may also let this caller in whoever it is.
    fn who(
        &self,
        row: &table::Row,
        peer: &Peer,
        request: Option<&serde_json::Value>,
    ) -> Result<(Who, bool), Status> {
        let (Some(policy), Some(full_method)) = (&self.policy, table::judged_as(row.method)) else {
            return Ok((row.who, false));
        };
        let program = peer.program();
        let caller_file_path = program.as_deref();
        let question = CallQuestion { caller: peer.id(), caller_file_path, full_method, request };
        let verdict = policy.judge(&question).map_err(|error| {
            tracing::error!(error = %error, method = row.method, "Authorization failure from OPA auth");
            Status::internal(format!("authorization policy failed: {error}"))
        })?;
        // A method that is open by the table needs no standing, and an agent's or a downstream server's call needs theirs.
        match verdict.allow {
            true if row.who.includes(Who::ANY) => Ok((Who::ANY, false)),
            true => Ok((Who::by(verdict).with(row.who), true)),
            false => Ok((Who::by(verdict), false)),
        }
    }

    /// Whether some entry that gives this identity, and has not ended, is flagged so.
    fn holds(&self, id: &SpiffeId, flag: impl Fn(&model::Entry) -> bool) -> bool {
        let now = UnixTime::of(self.clock.now());
        id.member_of(&self.trust_domain)
            && self
                .registry
                .snapshot()
                .entries_of(id)
                .any(|e| flag(e) && e.expires_at.is_none_or(|end| now < end))
    }

    /// The agent whose active SVID this is. A refusal is given only by the newest state of the registry; the first
    /// use of a renewed SVID makes it the active one.
    async fn agent(&self, svid: &VerifiedSvid) -> Result<AuthorizedAgent, Refusal> {
        let id = svid.id();
        if svid.expires_at() <= self.clock.now() {
            return Err(Refusal::Because(Reason::AgentExpired, "Agent SVID is expired"));
        }
        let serial = svid.leaf().serial_decimal();
        if let Some(agent) = self.registry.snapshot().agent(id)
            && agent.serial == serial
        {
            return Ok(AuthorizedAgent::new(agent.clone(), svid.expires_at()));
        }
        self.registry.catch_up().await.map_err(unavailable)?;
        for _ in 0..ATTEMPTS {
            let snapshot = self.registry.snapshot();
            let agent = snapshot
                .agent(id)
                .ok_or(Refusal::Because(Reason::AgentNotAttested, "Agent is not attested"))?;
            if agent.is_banned() {
                return Err(Refusal::Because(Reason::AgentBanned, "Agent is banned"));
            }
            if agent.serial == serial {
                return Ok(AuthorizedAgent::new(agent.clone(), svid.expires_at()));
            }
            if agent.new_serial != serial {
                return Err(Refusal::Because(Reason::AgentNotActive, "Agent SVID is not active"));
            }
            match self.registry.write(activate_new_serial(agent)).await {
                Ok(_) | Err(RegistryError::Refused(WriteFault::Conflict(_) | WriteFault::NotFound(_))) => {}
                Err(error) => return Err(unavailable(error)),
            }
        }
        Err(Refusal::Failed(Status::unavailable("the agent's row is being changed by others; try again")))
    }
}

/// In the words of Go's gRPC library, which programs compare.
fn unknown(method: &str) -> Status {
    let service = method.trim_start_matches('/').split('/').next().unwrap_or_default();
    Status::unimplemented(format!("unknown service {service}"))
}

/// What a caller is that a policy lets in whoever it is. The calls of agents and of downstream servers are about the
/// caller itself, so these have to be shown to be one.
fn by_policy(who: Who, peer: &Peer) -> Option<Standing> {
    let operator = who.includes(Who::ADMIN) || who.includes(Who::LOCAL);
    operator.then(|| Standing::Policy(AdminGrant::by_policy(peer.id().cloned())))
}

/// How often a write is computed anew when another writer came first.
const ATTEMPTS: usize = 5;

enum Refusal {
    Because(Reason, &'static str),
    Failed(Status),
}

fn unavailable(error: RegistryError) -> Refusal {
    Refusal::Failed(Status::unavailable(format!("unable to look up agent information: {error}")))
}

fn activate_new_serial(agent: &Agent) -> Write {
    let mut next = agent.clone();
    next.serial = std::mem::take(&mut next.new_serial);
    next.expires_at = next.new_expires_at.take().unwrap_or(next.expires_at);
    Write::PutAgent { agent: next, expect: Expect::Revision(agent.revision.unsigned_abs()) }
}

/// The longest request that a policy is shown: no method takes a longer one, and a frame has five bytes before it.
const LONGEST: usize = (4 << 20) + 5;

/// The request with its body read, and what a policy sees of it.
async fn buffered(
    request: http::Request<Body>,
    shape: &question::Shape,
) -> Result<(http::Request<Body>, Option<serde_json::Value>), Status> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LONGEST).collect().await.map_err(|error| {
        Status::resource_exhausted(format!(
            "the request could not be read for the authorization policy: {error}"
        ))
    })?;
    let bytes = body.to_bytes();
    let seen = question::read(shape, &bytes);
    Ok((http::Request::from_parts(head, Body::new(Full::new(bytes))), seen))
}

/// The tower layer around all services of a listener.
#[derive(Clone)]
pub struct AuthzLayer(pub Arc<Authorizer>);

impl<S> Layer<S> for AuthzLayer {
    type Service = AuthzService<S>;
    fn layer(&self, inner: S) -> Self::Service {
        AuthzService { inner, authorizer: self.0.clone() }
    }
}

/// See [`AuthzLayer`].
#[derive(Clone)]
pub struct AuthzService<S> {
    inner: S,
    authorizer: Arc<Authorizer>,
}

impl<S> Service<http::Request<Body>> for AuthzService<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        // The clone is the one that was not polled ready; swap so that the ready one is called.
        let spare = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, spare);
        let authorizer = self.authorizer.clone();
        Box::pin(async move {
            let Some(peer) = request.extensions().get::<Arc<Peer>>().cloned() else {
                return Ok(Status::internal("the connection was not identified").into_http());
            };
            let path = request.uri().path().to_owned();
            let seen = match authorizer.policy.as_ref().and_then(|_| question::shape(&path)) {
                None => None,
                Some(shape) => match buffered(request, shape).await {
                    Ok((whole, seen)) => {
                        request = whole;
                        seen
                    }
                    Err(status) => return Ok(status.into_http()),
                },
            };
            match authorizer.authorize(&path, peer, seen.as_ref()).await {
                Ok(_) if path == table::HEALTH_LIST => {
                    Ok(Status::unimplemented("method List not implemented").into_http())
                }
                Ok(mut caller) => {
                    let asked = AskedHost::of(request.uri());
                    request.extensions_mut().insert(asked);
                    caller.deadline = request.extensions().get::<Deadline>().map(|deadline| deadline.0);
                    request.extensions_mut().insert(caller);
                    inner.call(request).await
                }
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}

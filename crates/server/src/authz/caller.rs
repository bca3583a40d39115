use std::net::SocketAddr;
use std::sync::Arc;

use spiffe::SpiffeId;
use spiffe::x509::VerifiedSvid;
use tokio::time::Instant;
use tonic::Status;

use super::grants::{AdminGrant, AuthorizedAgent, DownstreamGrant};
use super::limit::{Kind, Limiter};
use crate::metrics::RATE_LIMIT;

/// The other end of a connection, known before any request.
#[derive(Debug, Clone)]
pub enum Peer {
    /// A process that opened the admin socket.
    Local {
        /// Its user.
        uid: u32,
        /// Its group.
        gid: u32,
        /// Its process id, when the kernel told it.
        pid: Option<i32>,
    },
    /// A TLS client; with its identity if it showed one that verifies.
    Remote {
        /// Where from.
        addr: SocketAddr,
        /// Who, if it said and proved it.
        svid: Option<VerifiedSvid>,
    },
}

impl Peer {
    /// The program of a process on the admin socket, as the system tells it now.
    pub(in crate::authz) fn program(&self) -> Option<String> {
        match self {
            Peer::Local { pid: Some(pid), .. } => {
                let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
                path.into_os_string().into_string().ok()
            }
            _ => None,
        }
    }

    /// The proven identity.
    pub fn id(&self) -> Option<&SpiffeId> {
        match self {
            Peer::Remote { svid: Some(svid), .. } => Some(svid.id()),
            _ => None,
        }
    }
}

/// As what a caller was let in.
#[derive(Debug, Clone)]
pub enum Standing {
    /// Nobody in particular: the method is open.
    Nobody,
    /// Through the admin socket.
    Local(AdminGrant),
    /// As an administrator.
    Admin(AdminGrant),
    /// As a downstream server.
    Downstream(DownstreamGrant),
    /// As an attested agent.
    Agent(AuthorizedAgent),
    /// By the word of the operator's policy, to do what administrators may.
    Policy(AdminGrant),
}

/// Who is calling, found out once before the handler. A tonic request extension.
#[derive(Debug, Clone)]
pub struct Caller {
    pub(in crate::authz) peer: Arc<Peer>,
    pub(in crate::authz) standing: Standing,
    pub(in crate::authz) limiter: Arc<Limiter>,
    /// The method that is called, as the table has it.
    pub(in crate::authz) method: &'static str,
    /// When the call has to be over, if the caller said so.
    pub(in crate::authz) deadline: Option<Instant>,
}

impl Caller {
    /// The caller of this request. Missing only where the layer was forgotten, which then fails closed.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<&Caller, Status> {
        request
            .extensions()
            .get::<Caller>()
            .ok_or_else(|| Status::internal("the caller was not authenticated"))
    }

    /// The other end of the connection.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Waits until the caller's address may have `count` more of what is limited; those at the socket never wait.
    pub async fn throttle(&self, kind: Kind, count: usize) -> Result<(), Status> {
        let call = RATE_LIMIT.start(self.method);
        let passed = match &*self.peer {
            Peer::Local { .. } => Ok(()),
            Peer::Remote { addr, .. } => self.limiter.pass(kind, addr.ip(), count, self.deadline).await,
        };
        call.with(&passed, Status::code);
        passed
    }

    /// As what it was let in.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The attested agent that calls.
    pub fn require_agent(&self) -> Result<AuthorizedAgent, Status> {
        match &self.standing {
            Standing::Agent(agent) => Ok(agent.clone()),
            _ => Err(Status::permission_denied("only an attested agent may call this")),
        }
    }

    /// The administrator that calls, over the socket or with an admin identity.
    pub fn require_admin(&self) -> Result<AdminGrant, Status> {
        match &self.standing {
            Standing::Local(grant) | Standing::Admin(grant) | Standing::Policy(grant) => Ok(grant.clone()),
            _ => Err(Status::permission_denied("only an administrator may call this")),
        }
    }

    /// The downstream server that calls.
    pub fn require_downstream(&self) -> Result<DownstreamGrant, Status> {
        match &self.standing {
            Standing::Downstream(grant) => Ok(grant.clone()),
            _ => Err(Status::permission_denied("only a downstream server may call this")),
        }
    }
}

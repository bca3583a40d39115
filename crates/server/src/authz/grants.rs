//! Grants: values that only an authorization check can build, and that signing demands.
//!
//! A caller of this crate cannot make one up, so nothing is signed without a check:
//!
//! ```compile_fail,E0451
//! let grant = server::authz::EntryGrant { entry: unreachable!() };
//! ```
//!
//! ```compile_fail,E0624
//! let admin = server::authz::AdminGrant::local();
//! ```
//!
//! ```compile_fail,E0624
//! let agent = server::authz::AuthorizedAgent::new(unreachable!(), std::time::SystemTime::UNIX_EPOCH);
//! ```
//!
//! And what signs takes nothing less:
//!
//! ```compile_fail,E0308
//! async fn sign(authorities: server::authority::Authorities, entry: std::sync::Arc<model::Entry>) {
//!     let _ = authorities.sign_jwt(&entry, vec!["audience".to_owned()]).await;
//! }
//! ```

use std::sync::Arc;
use std::time::SystemTime;

use model::{Agent, Entry, EntryId, Snapshot, UnixTime, graph};
use spiffe::SpiffeId;
use tonic::Status;

/// An attested, unbanned agent that called with its active SVID.
#[derive(Clone, Debug)]
pub struct AuthorizedAgent {
    agent: Arc<Agent>,
    svid_expires_at: SystemTime,
}

impl AuthorizedAgent {
    /// For the check of an agent's SVID, once it has passed.
    pub(in crate::authz) fn new(agent: Arc<Agent>, svid_expires_at: SystemTime) -> Self {
        Self { agent, svid_expires_at }
    }

    /// The agent as it stood when it was let in.
    pub fn agent(&self) -> &Arc<Agent> {
        &self.agent
    }

    /// Its SPIFFE ID.
    pub fn id(&self) -> &SpiffeId {
        &self.agent.id
    }

    /// When the SVID it called with ends.
    pub fn svid_expires_at(&self) -> SystemTime {
        self.svid_expires_at
    }
}

/// An administrator: someone at the admin socket, or the holder of an admin identity.
#[derive(Clone, Debug)]
pub struct AdminGrant {
    id: Option<SpiffeId>,
}

impl AdminGrant {
    /// For a caller on the admin socket.
    pub(in crate::authz) fn local() -> Self {
        Self { id: None }
    }

    /// For whom the operator's policy lets in.
    pub(in crate::authz) fn by_policy(id: Option<SpiffeId>) -> Self {
        Self { id }
    }

    /// For the proven holder of an admin identity.
    pub(in crate::authz) fn of(id: SpiffeId) -> Self {
        Self { id: Some(id) }
    }

    /// The admin identity; `None` for a caller on the admin socket, and for one that the policy lets in without.
    pub fn id(&self) -> Option<&SpiffeId> {
        self.id.as_ref()
    }
}

/// A downstream server: the holder of an identity with a downstream entry.
#[derive(Clone, Debug)]
pub struct DownstreamGrant {
    id: SpiffeId,
}

impl DownstreamGrant {
    /// For the proven holder of such an identity.
    pub(in crate::authz) fn of(id: SpiffeId) -> Self {
        Self { id }
    }

    /// Its identity.
    pub fn id(&self) -> &SpiffeId {
        &self.id
    }

    /// A grant that nothing vouches for, for tests of what demands one.
    #[cfg(test)]
    pub(crate) fn unchecked(id: SpiffeId) -> Self {
        Self::of(id)
    }
}

/// An agent's right to an entry's identity.
#[derive(Clone, Debug)]
pub struct EntryGrant {
    entry: Arc<Entry>,
}

impl EntryGrant {
    /// The entry as it stood when the right to it was checked.
    pub fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }

    /// A grant that nothing vouches for, for tests of what demands one.
    #[cfg(test)]
    pub(crate) fn unchecked(entry: Arc<Entry>) -> Self {
        Self { entry }
    }
}

#[cfg(test)]
impl AdminGrant {
    /// A grant that nothing vouches for, for tests of what demands one.
    pub(crate) fn unchecked() -> Self {
        Self::local()
    }
}

#[cfg(test)]
impl AuthorizedAgent {
    /// An agent that nothing vouches for, for tests of what demands one.
    pub(crate) fn unchecked(agent: Arc<Agent>, svid_expires_at: SystemTime) -> Self {
        Self::new(agent, svid_expires_at)
    }
}

#[cfg(test)]
impl super::Caller {
    /// A caller that was not judged, for tests of handlers.
    pub(crate) fn unchecked(standing: super::Standing) -> Self {
        let peer = super::Peer::Local { uid: 0, gid: 0, pid: None };
        let limiter = Arc::new(super::limit::Limiter::new(super::limit::RateLimits::default()));
        Self { peer: Arc::new(peer), standing, limiter, method: "/test.Service/Method", deadline: None }
    }
}

/// The right of `agent` to the entry `entry_id`, as the registry stands in `snapshot` at `now`. Whether there is no
/// such entry, it has ended, or it is another's, is not told (SPIRE 1.16: `NotFound` for all of these).
pub fn grant_entry(
    agent: &AuthorizedAgent,
    snapshot: &Snapshot,
    entry_id: &str,
    now: SystemTime,
) -> Result<EntryGrant, Status> {
    let refused = || Status::not_found("entry not found or not authorized");
    let id = EntryId::parse(entry_id).map_err(|_| refused())?;
    let entry = snapshot.entry(&id).ok_or_else(refused)?;
    let ended = entry.expires_at.is_some_and(|end| end <= UnixTime::of(now));
    if ended || !graph::may_use(snapshot, &agent.agent, entry) {
        return Err(refused());
    }
    Ok(EntryGrant { entry: entry.clone() })
}

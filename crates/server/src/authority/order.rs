//! What operators have done with the authorities out of turn, beside what time does.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::error::AuthorityError;
use super::handle::Authorities;
use super::settings::JwtSvids;
use super::state::{AuthorityState, Stage};
use crate::authz::AdminGrant;
use crate::registry::RegistryError;

/// One of the two lines of authorities.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// X.509 CAs.
    X509,
    /// JWT keys.
    Jwt,
}

/// What is to be done, each with the name of the authority where one is meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Order {
    Prepare(Family),
    Activate(Family, String),
    Taint(Family, String),
    Revoke(Family, String),
    TaintUpstream(String),
    RevokeUpstream(String),
}

/// An order and where its answer goes.
pub(super) struct Ordered {
    pub(super) order: Order,
    pub(super) answer: oneshot::Sender<Result<Option<AuthorityState>, OrderError>>,
}

/// Why an order was not carried out. Nothing is changed then.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OrderError {
    /// There is no active authority of this kind yet.
    #[error("server is initializing")]
    Initializing,
    /// `disable_jwt_svids` is set.
    #[error("JWT functionality is disabled")]
    JwtDisabled,
    /// The order does not name an authority.
    #[error("no authority ID provided")]
    NoName,
    /// The order would harm what signs now.
    #[error("the authority is the active one")]
    Active,
    /// No authority of this server has that name.
    #[error("the authority is not known here")]
    Unknown,
    /// The authority is not in the stage that the order is for.
    #[error("unsupported local authority status: {}", .0.as_str())]
    Stage(Stage),
    /// With an upstream authority it is that one which is tainted and revoked.
    #[error("this server's X.509 CA is signed by an upstream authority")]
    Upstream,
    /// There is no upstream authority.
    #[error("upstream authority is not configured")]
    NoUpstream,
    /// The bundle does not have it: it was revoked, or has ended.
    #[error("no {what} found with provided {name}")]
    NotInBundle {
        /// What the bundle does not have.
        what: &'static str,
        /// What it was looked for by.
        name: &'static str,
    },
    /// It is tainted.
    #[error("{0} is already tainted")]
    AlreadyTainted(&'static str),
    /// What is not tainted is in use: revoked now, it would cut off who relies on it.
    #[error("it is not possible to revoke an untainted {0}")]
    NotTainted(&'static str),
    /// The registry did not write it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The authority could not be made or published.
    #[error("{}", super::error::chain(&**.0))]
    Failed(Arc<AuthorityError>),
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopped,
}

impl From<AuthorityError> for OrderError {
    fn from(error: AuthorityError) -> Self {
        Self::Failed(Arc::new(error))
    }
}

impl Authorities {
    /// The authorities of a family: first the active one, then the prepared or the old one.
    pub fn family(&self, family: Family) -> Result<Vec<AuthorityState>, OrderError> {
        self.enabled(family)?;
        let states = self.states();
        let line = match family {
            Family::X509 => &states.x509,
            Family::Jwt => &states.jwt,
        };
        match line.first() {
            Some(first) if first.stage == Stage::Active => Ok(line.clone()),
            _ => Err(OrderError::Initializing),
        }
    }

    /// Makes the next authority and publishes it, whatever the time. One that was prepared before is given up.
    pub async fn prepare(&self, _: &AdminGrant, family: Family) -> Result<AuthorityState, OrderError> {
        self.enabled(family)?;
        self.order(Order::Prepare(family)).await?.ok_or(OrderError::Initializing)
    }

    /// Has the prepared authority take over now.
    pub async fn activate(
        &self,
        _: &AdminGrant,
        family: Family,
        id: String,
    ) -> Result<AuthorityState, OrderError> {
        self.enabled(family)?;
        self.order(Order::Activate(family, id)).await?.ok_or(OrderError::Initializing)
    }

    /// Declares the old authority not to be relied on: whoever holds what it signed replaces that at once.
    pub async fn taint(
        &self,
        _: &AdminGrant,
        family: Family,
        id: String,
    ) -> Result<AuthorityState, OrderError> {
        self.enabled(family)?;
        self.order(Order::Taint(family, id)).await?.ok_or(OrderError::Unknown)
    }

    /// Drops a tainted authority from the bundle.
    pub async fn revoke(&self, _: &AdminGrant, family: Family, id: String) -> Result<(), OrderError> {
        self.enabled(family)?;
        self.order(Order::Revoke(family, id)).await.map(|_| ())
    }

    /// Declares the upstream authority of the old X.509 CA, by its subject key ID in hexadecimal, not to be relied on.
    pub async fn taint_upstream(&self, _: &AdminGrant, id: String) -> Result<(), OrderError> {
        self.order(Order::TaintUpstream(id)).await.map(|_| ())
    }

    /// Drops the tainted upstream authority of the old X.509 CA from the bundle.
    pub async fn revoke_upstream(&self, _: &AdminGrant, id: String) -> Result<(), OrderError> {
        self.order(Order::RevokeUpstream(id)).await.map(|_| ())
    }

    fn enabled(&self, family: Family) -> Result<(), OrderError> {
        match (family, self.desk.settings.jwt_svids) {
            (Family::Jwt, JwtSvids::Disabled) => Err(OrderError::JwtDisabled),
            _ => Ok(()),
        }
    }

    async fn order(&self, order: Order) -> Result<Option<AuthorityState>, OrderError> {
        let (answer, answered) = oneshot::channel();
        self.orders.send(Ordered { order, answer }).await.map_err(|_| OrderError::Stopped)?;
        answered.await.unwrap_or(Err(OrderError::Stopped))
    }
}

use std::fmt;
use std::sync::Arc;

use spiffe::{SpiffeId, TrustDomain};

/// Which verified peers are let through.
#[derive(Clone)]
pub enum Authorize {
    /// This one.
    Id(SpiffeId),
    /// These.
    Ids(Arc<[SpiffeId]>),
    /// Every one of this trust domain.
    TrustDomain(TrustDomain),
    /// Every one of a trust domain whose bundle is held.
    Any,
    /// Those for which a predicate says so.
    Fn(Arc<dyn Fn(&SpiffeId) -> bool + Send + Sync>),
}

impl Authorize {
    /// Whether a verified peer is let through.
    pub fn admits(&self, id: &SpiffeId) -> bool {
        match self {
            Self::Id(wanted) => wanted == id,
            Self::Ids(wanted) => wanted.contains(id),
            Self::TrustDomain(wanted) => id.member_of(wanted),
            Self::Any => true,
            Self::Fn(says) => says(id),
        }
    }
}

impl fmt::Debug for Authorize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "the peer {id}"),
            Self::Ids(ids) => {
                f.write_str("one of the peers ")?;
                f.debug_list().entries(ids.iter()).finish()
            }
            Self::TrustDomain(td) => write!(f, "a peer of {td}"),
            Self::Any => f.write_str("any verified peer"),
            Self::Fn(_) => f.write_str("a peer that a predicate admits"),
        }
    }
}

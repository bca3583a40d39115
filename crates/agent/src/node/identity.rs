//! The agent's own identity.

use std::sync::Arc;

use arc_swap::ArcSwap;
use spiffe::key::Signer;
use spiffe::x509::X509Svid;
use spiffe_tls::{Identity, IdentityError, IdentitySource};

/// The agent's own SVID.
#[derive(Clone)]
pub(crate) struct Own {
    pub(crate) svid: X509Svid,
    pub(crate) reattestable: bool,
}

/// The agent's own identity, replaced as a whole.
pub(crate) struct NodeIdentity {
    own: ArcSwap<Own>,
    tls: Arc<IdentitySource>,
}

impl NodeIdentity {
    pub(crate) fn new(own: Own, key: Arc<dyn Signer>) -> Result<Self, IdentityError> {
        let tls = IdentitySource::new();
        tls.set(Identity::new(own.svid.clone(), key)?);
        Ok(Self { own: ArcSwap::from_pointee(own), tls })
    }

    /// The identity of now.
    pub(crate) fn own(&self) -> Arc<Own> {
        self.own.load_full()
    }

    /// What handshakes show.
    pub(crate) fn tls(&self) -> Arc<IdentitySource> {
        self.tls.clone()
    }

    pub(crate) fn replace(&self, own: Own, key: Arc<dyn Signer>) -> Result<(), IdentityError> {
        self.tls.set(Identity::new(own.svid.clone(), key)?);
        self.own.store(Arc::new(own));
        Ok(())
    }
}

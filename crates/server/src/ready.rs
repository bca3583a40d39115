//! What a server that answers shows to the program around it.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use spiffe::bundle::{Bundle, BundleSet};
use spiffe::{SpiffeId, TrustDomain};
use spiffe_tls::{BundleHandle, IdentitySource};

use crate::api::health::{self, Subsystem};
use crate::authority::{Authorities, ServerCredentials};
use crate::registry::Registry;

/// A server that answers. Cheap to clone.
#[derive(Clone)]
pub struct Ready {
    /// Where agents come in.
    pub address: SocketAddr,
    pub(crate) authorities: Authorities,
    pub(crate) registry: Arc<Registry>,
}

impl Ready {
    /// The server's own X.509-SVID with its key, for other listeners of the same process.
    #[must_use]
    pub fn identity(&self) -> Arc<IdentitySource> {
        self.authorities.server_identity()
    }

    /// The same with the key's bytes, for whoever acts as this server in another process.
    #[must_use]
    pub fn credentials(&self) -> Option<Arc<ServerCredentials>> {
        self.authorities.server_credentials()
    }

    /// This trust domain's bundle.
    #[must_use]
    pub fn own_bundle(&self) -> Option<Arc<Bundle>> {
        self.registry.snapshot().bundle(self.authorities.trust_domain()).cloned()
    }

    /// Whether there is an agent of this SPIFFE ID.
    #[must_use]
    pub fn knows_agent(&self, id: &str) -> bool {
        SpiffeId::parse(id).is_ok_and(|id| self.registry.snapshot().agent(&id).is_some())
    }

    /// The bundles of these trust domains as they change, for as long as the handle is held.
    #[must_use]
    pub fn bundles(&self, domains: HashSet<TrustDomain>) -> BundleHandle {
        let handle: BundleHandle = Arc::new(ArcSwap::from_pointee(self.set(&domains)));
        let (followed, ready) = (Arc::downgrade(&handle), self.clone());
        let mut changes = self.registry.changes();
        tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                let Some(handle) = followed.upgrade() else { return };
                handle.store(Arc::new(ready.set(&domains)));
            }
        });
        handle
    }

    fn set(&self, domains: &HashSet<TrustDomain>) -> BundleSet {
        let snapshot = self.registry.snapshot();
        snapshot.bundles().filter(|bundle| domains.contains(bundle.trust_domain())).cloned().collect()
    }

    /// How every part of the server is. Signs once; asks the database for one row.
    pub async fn subsystems(&self) -> Vec<Subsystem> {
        health::subsystems(&self.authorities, &self.registry).await
    }
}

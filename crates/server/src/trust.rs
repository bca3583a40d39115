//! The bundles against which this server judges its TLS clients, moved with the registry.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use model::{Change, Cursor, RowKey, Snapshot};
use spiffe::bundle::BundleSet;
use spiffe::{SpiffeId, TrustDomain};

use crate::registry::Observer;

/// The own bundle, and those of foreign administrators.
pub(crate) struct TrustStore {
    bundles: Arc<ArcSwap<BundleSet>>,
    trusted: HashSet<TrustDomain>,
}

impl TrustStore {
    /// Trusts this server's trust domain and those of the administrators named by configuration; no other.
    pub(crate) fn new(own: &TrustDomain, admins: &HashSet<SpiffeId>) -> Arc<Self> {
        let mut trusted: HashSet<TrustDomain> = admins.iter().map(SpiffeId::trust_domain).collect();
        trusted.insert(own.clone());
        Arc::new(Self { bundles: Arc::new(ArcSwap::from_pointee(BundleSet::default())), trusted })
    }

    /// The bundles as they are at each moment.
    pub(crate) fn bundles(&self) -> Arc<ArcSwap<BundleSet>> {
        self.bundles.clone()
    }

    fn rebuild(&self, snapshot: &Snapshot) {
        let mut set = BundleSet::default();
        for bundle in snapshot.bundles().filter(|b| self.trusted.contains(b.trust_domain())) {
            set.insert(bundle.clone());
        }
        self.bundles.store(Arc::new(set));
    }
}

impl Observer for TrustStore {
    fn moved(&self, _before: &Snapshot, after: &Snapshot, change: &Change) {
        if let RowKey::Bundle(td) = &change.key
            && self.trusted.contains(td)
        {
            self.rebuild(after);
        }
    }

    fn reloaded(&self, after: &Snapshot) {
        self.rebuild(after);
    }

    fn published(&self, _cursor: Cursor) {}
}

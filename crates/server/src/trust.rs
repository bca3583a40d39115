//! The bundles against which this server judges its TLS clients, moved with the registry.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use model::{Change, Cursor, RowKey, Snapshot};
use spiffe::bundle::BundleSet;
use spiffe::{SpiffeId, TrustDomain};

use crate::registry::Observer;

/// The own bundle, and those of foreign administrators.
pub(crate) struct TrustStore {
    bundles: Arc<ArcSwap<BundleSet>>,
    trusted: HashSet<TrustDomain>,
    /// The foreign administrators, by their trust domain.
    foreign: BTreeMap<TrustDomain, BTreeSet<SpiffeId>>,
    /// The foreign trust domains that were warned of.
    missing: Mutex<BTreeSet<TrustDomain>>,
}

impl TrustStore {
    /// Trusts this server's trust domain and those of the administrators named by configuration; no other.
    pub(crate) fn new(own: &TrustDomain, admins: &HashSet<SpiffeId>) -> Arc<Self> {
        let mut trusted: HashSet<TrustDomain> = admins.iter().map(SpiffeId::trust_domain).collect();
        trusted.insert(own.clone());
        let mut foreign: BTreeMap<TrustDomain, BTreeSet<SpiffeId>> = BTreeMap::new();
        for admin in admins.iter().filter(|admin| !admin.member_of(own)) {
            foreign.entry(admin.trust_domain()).or_default().insert(admin.clone());
        }
        let bundles = Arc::new(ArcSwap::from_pointee(BundleSet::default()));
        Arc::new(Self { bundles, trusted, foreign, missing: Mutex::default() })
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
        self.tell(snapshot);
    }

    /// Says once which administrators cannot come in, since nothing is there to judge their certificates by.
    fn tell(&self, snapshot: &Snapshot) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        for (domain, admins) in &self.foreign {
            if snapshot.bundle(domain).is_some() {
                if missing.remove(domain) {
                    tracing::info!(trust_domain_id = %domain.id(), "Administrators of this trust domain can connect now");
                }
            } else if missing.insert(domain.clone()) {
                let admin_ids = admins.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                tracing::warn!(
                    trust_domain_id = %domain.id(),
                    admin_ids,
                    "No bundle of a trust domain that admin_ids names: its administrators cannot connect until there is one (bundle set)"
                );
            }
        }
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

//! What the node may use, and the SVIDs for it. Changed by the sync and by what the server issues; read by the Workload
//! API. A change costs work in proportion to the change and to the open streams it concerns.

mod difference;
mod entry;
pub(crate) mod frame;
mod held;
mod hints;
mod index;
mod jwt;
mod queue;
mod slot;
mod state;
mod subscription;
mod tally;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod update;
mod wit_frame;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use model::Selectors;
use proto::SetDigest;
use proto::spire::api::types;
use spiffe::TrustDomain;
use spiffe::bundle::{Bundle, BundleSet};
use spiffe_tls::BundleHandle;
use tokio::sync::{Notify, watch};
use tonic::Code;

use crate::metrics::{CACHE_SVIDS, PROCESS_TAINTED_JWT, PROCESS_TAINTED_X509, TAINTED_JWT, TAINTED_X509};
pub(crate) use difference::Difference;
pub(crate) use entry::Entry;
pub(crate) use held::{Held, IssueFault};
pub(crate) use jwt::{JwtCache, JwtHeld, JwtKey};
pub(crate) use queue::{Asked, Urgency};
use state::State;
pub(crate) use subscription::Subscription;
#[cfg(test)]
pub(crate) use update::Identity;
pub(crate) use update::Update;
pub(crate) use wit_frame::wit_svids;

/// Limits of a cache.
pub(crate) struct Limits {
    /// How many X.509-SVIDs are kept beyond those that open streams need.
    pub(crate) x509: usize,
    /// How many JWT-SVIDs are kept.
    pub(crate) jwt: usize,
    /// See [`crate::Settings::availability_target`].
    pub(crate) target: Option<Duration>,
}

/// What the node may use, and the SVIDs for it.
pub(crate) struct Cache {
    state: Mutex<State>,
    jwt: JwtCache,
    trust_domain: TrustDomain,
    /// Someone needs an SVID, or the next renewal moved.
    work: Notify,
    bundle: watch::Sender<Option<Arc<Bundle>>>,
    /// Every bundle that is held, for listeners of the same process.
    bundles: BundleHandle,
    tainted: Mutex<Tainted>,
}

/// Tainted authorities that were dealt with.
#[derive(Default)]
struct Tainted {
    x509: HashSet<Vec<u8>>,
    jwt: HashSet<String>,
}

/// How much a cache holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holdings {
    pub(crate) x509_svids: usize,
    pub(crate) jwt_svids: usize,
    /// The subject key ids, in hex, of the authorities behind the X.509-SVIDs.
    pub(crate) x509_authorities: Vec<String>,
    /// The key ids behind the JWT-SVIDs.
    pub(crate) jwt_authorities: Vec<String>,
}

impl Cache {
    pub(crate) fn new(trust_domain: TrustDomain, limits: &Limits) -> Self {
        Self {
            state: Mutex::new(State::new(trust_domain.clone(), limits.x509, limits.target)),
            jwt: JwtCache::new(limits.jwt),
            trust_domain,
            work: Notify::new(),
            bundle: watch::Sender::new(None),
            bundles: BundleHandle::default(),
            tainted: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn jwt(&self) -> &JwtCache {
        &self.jwt
    }

    /// Applies changes: when this returns, they are in the cache and with the streams they concern.
    pub(crate) fn apply(&self, difference: Difference) {
        let bundles = !(difference.bundles.is_empty() && difference.deleted_bundles.is_empty());
        let bundle = {
            let mut state = self.state();
            state.apply(difference).measure();
            if bundles {
                self.bundles.store(Arc::new(state.bundles().cloned().collect()));
            }
            state.bundle()
        };
        self.work.notify_one();
        self.follow_bundle(bundle);
    }

    /// Makes these everything there is; nothing is touched that stays the same.
    pub(crate) fn replace(&self, entries: Vec<types::Entry>, bundles: Vec<Bundle>) {
        let (deleted, deleted_bundles) = {
            let state = self.state();
            let named: HashSet<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
            let domains = bundles.iter().map(|bundle| bundle.trust_domain().clone()).collect();
            (state.others(&named), state.other_bundles(&domains))
        };
        self.apply(Difference { entries, deleted, bundles, deleted_bundles });
    }

    /// Tells followers of our own bundle, and has reissued what its newly tainted authorities signed.
    fn follow_bundle(&self, bundle: Option<Arc<Bundle>>) {
        let Some(bundle) = bundle else { return };
        let new = self.bundle.send_if_modified(|known| {
            let new = known.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &bundle));
            *known = Some(bundle.clone());
            new
        });
        if new {
            self.taint(&bundle);
        }
    }

    fn taint(&self, bundle: &Bundle) {
        let (subjects, keys) = {
            let tainted = bundle.x509_authorities().iter().filter(|authority| authority.tainted);
            let names = tainted.map(|authority| authority.certificate.subject_der().to_vec()).collect();
            self.state().remember_tainted(names);
            let mut known = self.tainted.lock().unwrap_or_else(PoisonError::into_inner);
            let x509 = bundle.x509_authorities().iter().filter(|authority| authority.tainted);
            let subjects: HashSet<Vec<u8>> = x509
                .filter(|authority| known.x509.insert(authority.certificate.der().to_vec()))
                .map(|authority| authority.certificate.subject_der().to_vec())
                .collect();
            let jwt = bundle.jwt_authorities().iter().filter(|authority| authority.tainted);
            let keys: HashSet<String> = jwt
                .filter(|authority| known.jwt.insert(authority.key_id.clone()))
                .map(|authority| authority.key_id.clone())
                .collect();
            (subjects, keys)
        };
        if !subjects.is_empty() {
            let call = PROCESS_TAINTED_X509.start(&[]);
            let count = self.state().taint(&subjects);
            TAINTED_X509.count(count, &[]);
            call.done(Code::Ok);
            tracing::info!(subsystem_name = "manager", count, "Tainted X.509 SVIDs");
            self.work.notify_one();
        }
        if !keys.is_empty() {
            let call = PROCESS_TAINTED_JWT.start(&[]);
            let count = self.jwt.forget_signed_by(&keys);
            TAINTED_JWT.count(count, &[]);
            call.done(Code::Ok);
            tracing::info!(subsystem_name = "manager", count, "Tainted JWT-SVIDs");
        }
    }

    /// Our own bundle as it changes.
    pub(crate) fn watch_bundle(&self) -> watch::Receiver<Option<Arc<Bundle>>> {
        self.bundle.subscribe()
    }

    /// All bundles as they change.
    pub(crate) fn all_bundles(&self) -> BundleHandle {
        self.bundles.clone()
    }

    /// What the entries digest to.
    pub(crate) fn digest(&self) -> SetDigest {
        self.state().digest()
    }

    /// Each entry's revision and time of creation.
    pub(crate) fn revisions(&self) -> HashMap<String, (i64, i64)> {
        self.state().revisions()
    }

    /// The names of the trust domains that entries federate with.
    pub(crate) fn federated_domains(&self) -> BTreeSet<String> {
        self.state().federated_domains()
    }

    /// The trust domains whose bundles are held and not among these.
    pub(crate) fn other_bundles(&self, named: &[Bundle]) -> Vec<TrustDomain> {
        let named = named.iter().map(|bundle| bundle.trust_domain().clone()).collect();
        self.state().other_bundles(&named)
    }

    /// Follows what these selectors are entitled to.
    pub(crate) fn subscribe(self: &Arc<Self>, selectors: &Selectors) -> Subscription {
        let receiver = self.state().open(selectors);
        self.work.notify_one();
        Subscription::new(self.clone(), selectors.clone(), receiver)
    }

    fn unsubscribe(&self, selectors: &Selectors) {
        self.state().close(selectors);
    }

    /// The entries of a process with these selectors, by id; of those with the same hint the oldest.
    pub(crate) fn matching(&self, selectors: &Selectors) -> Vec<Arc<Entry>> {
        let matching = self.state().matching(selectors);
        hints::unique(matching)
    }

    /// Whether our own bundle says that this WIT authority is tainted.
    pub(crate) fn wit_tainted(&self, key_id: &str) -> bool {
        let bundle = self.bundle.borrow();
        let authority = bundle.as_ref().and_then(|bundle| bundle.wit_authority(key_id));
        authority.is_some_and(|authority| authority.tainted)
    }

    /// The bundles that a process with these selectors may use.
    pub(crate) fn bundles(&self, selectors: &Selectors) -> BundleSet {
        let state = self.state();
        let federated = state.federated(&state.matching(selectors));
        let mut set = BundleSet::default();
        for bundle in state.bundle().iter().chain(&federated) {
            set.insert(bundle.clone());
        }
        set
    }

    /// Waits until there may be something to ask the server for.
    pub(crate) async fn work(&self) {
        self.work.notified().await;
    }

    /// Up to `limit` entries whose SVIDs are to be asked for now. Each is to be settled or given back.
    pub(crate) fn take(&self, urgency: Urgency, limit: usize, now: SystemTime) -> Vec<Asked> {
        self.state().take(urgency, limit, now)
    }

    /// When the next SVID is to be renewed.
    pub(crate) fn next_due(&self) -> Option<SystemTime> {
        self.state().next_due()
    }

    /// Takes what the server answered, and hands it to the streams that wait.
    pub(crate) fn settle(&self, answers: Vec<(Arc<Entry>, Result<Held, IssueFault>)>, now: SystemTime) {
        let held = {
            let mut state = self.state();
            state.settle(answers, now);
            state.held()
        };
        CACHE_SVIDS.count(held, &[tally::X509]);
        self.work.notify_one();
    }

    /// The server could not be asked.
    pub(crate) fn give_back(&self, asked: &[Arc<Entry>]) {
        self.state().give_back(asked);
    }

    /// How many X.509-SVIDs are held.
    pub(crate) fn x509_svids(&self) -> usize {
        self.state().held()
    }

    /// How much is held.
    pub(crate) fn holdings(&self) -> Holdings {
        let (issuers, count, bundle) = {
            let state = self.state();
            let issuers: HashSet<Vec<u8>> = state.all_held().map(|held| held.issuer().to_vec()).collect();
            (issuers, state.held(), state.bundle())
        };
        let authorities = bundle.iter().flat_map(|bundle| bundle.x509_authorities());
        let used = authorities.filter(|authority| issuers.contains(authority.certificate.subject_der()));
        Holdings {
            x509_svids: count,
            jwt_svids: self.jwt.len(),
            x509_authorities: used
                .filter_map(|authority| authority.certificate.subject_key_id().map(hex))
                .collect(),
            jwt_authorities: self.jwt.key_ids(),
        }
    }

    /// The trust domain of the agent.
    pub(crate) fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

mod faults;
mod lives;
mod orders;
mod restarts;
mod signatures;
mod upstream;
mod wit;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use kit::clock::{Clock, Hand};
use model::ports::UpstreamAuthority;
use model::{Attested, Selectors};
use spiffe::bundle::Bundle;
use spiffe::key::{KeyType, PrivateKey};
use spiffe::x509::{Csr, X509Svid};
use spiffe::{BundleSet, SpiffeId, TrustDomain};

use super::error::AuthorityError;
use super::keeper::Keeper;
use super::state::AuthorityState;
use super::*;
use crate::registry::Registry;
use crate::signing::SigningPool;
use crate::testing::{MemoryKeys, MemoryLog};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A database, a key manager and a clock: what outlives a server.
struct World {
    log: Arc<MemoryLog>,
    keys: Arc<MemoryKeys>,
    upstream: Option<Arc<dyn UpstreamAuthority>>,
    settings: AuthoritySettings,
    clock: Clock,
    hand: Hand,
    pool: SigningPool,
}

/// A running server, as far as authorities go.
struct Server {
    authorities: Authorities,
    keeper: Keeper,
    registry: Arc<Registry>,
}

fn td() -> TrustDomain {
    TrustDomain::parse("example.org").unwrap()
}

impl World {
    fn new() -> Self {
        Self::with(AuthoritySettings::default())
    }

    fn with(settings: AuthoritySettings) -> Self {
        let (clock, hand) = Clock::by_hand(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        Self {
            log: Arc::default(),
            keys: Arc::default(),
            upstream: None,
            settings,
            clock,
            hand,
            pool: SigningPool::with(NonZeroUsize::MIN, 1000).unwrap(),
        }
    }

    async fn boot(&self) -> Server {
        self.try_boot().await.unwrap()
    }

    async fn try_boot(&self) -> Result<Server, AuthorityError> {
        let registry = Registry::open(self.log.clone(), Vec::new()).await.unwrap();
        let authorities = Authorities::open(
            td(),
            self.settings.clone(),
            registry.clone(),
            self.keys.clone(),
            self.upstream.clone(),
            self.pool.clone(),
            self.clock.clone(),
        )
        .await?;
        let keeper = authorities.take_keeper().unwrap();
        Ok(Server { authorities, keeper, registry })
    }

    /// Lets time pass to `until`.
    fn wait_until(&self, until: SystemTime) {
        self.hand
            .forward(until.duration_since(self.clock.now()).unwrap_or_default() + Duration::from_millis(1));
    }
}

impl Server {
    fn bundle(&self) -> Arc<Bundle> {
        self.registry.snapshot().bundle(&td()).unwrap().clone()
    }

    fn x509(&self, stage: Stage) -> Option<AuthorityState> {
        self.authorities.states().x509.iter().find(|a| a.stage == stage).cloned()
    }

    fn jwt(&self, stage: Stage) -> Option<AuthorityState> {
        self.authorities.states().jwt.iter().find(|a| a.stage == stage).cloned()
    }

    async fn agent_svid(&self, world: &World) -> AgentSvid {
        let id = SpiffeId::new(&td(), "/spire/agent/one").unwrap();
        let proof = Attested::vouched_by("test", id, Selectors::default(), true, world.clock.now());
        self.authorities.sign_agent_svid(&proof, csr()).await.unwrap()
    }
}

fn csr() -> Vec<u8> {
    Csr::build(&PrivateKey::generate(KeyType::EcP256).unwrap(), None, &[]).unwrap()
}

/// Whether a relying party that has this bundle believes the SVID.
fn believed(svid: &AgentSvid, bundle: &Arc<Bundle>, now: SystemTime) -> bool {
    let mut set = BundleSet::default();
    set.insert(bundle.clone());
    X509Svid::of(svid.chain().to_vec()).unwrap().verify(&set, now).is_ok()
}

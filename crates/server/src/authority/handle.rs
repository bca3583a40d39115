use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use kit::clock::Clock;
use model::ports::{KeyManager, UpstreamAuthority};
use spiffe::TrustDomain;
use spiffe::x509::X509Issuer;
use spiffe_tls::IdentitySource;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::error::{AuthorityError, SignError};
use super::identity::ServerCredentials;
use super::jwt::JwtKey;
use super::keeper::Keeper;
use super::order::Ordered;
use super::settings::{AuthoritySettings, JwtSvids};
use super::state::States;
use super::wit::WitKey;
use crate::registry::Registry;
use crate::signing::SigningPool;

/// How many orders may wait for the keeper before who gives them waits in turn.
const WAITING_ORDERS: usize = 16;

/// What the keeper lays out and signers take from: never waited for.
pub(super) struct Desk {
    pub(super) trust_domain: TrustDomain,
    pub(super) settings: AuthoritySettings,
    pub(super) clock: Clock,
    pub(super) pool: SigningPool,
    pub(super) upstream: Option<Arc<dyn UpstreamAuthority>>,
    pub(super) x509: ArcSwapOption<X509Issuer>,
    pub(super) jwt: ArcSwapOption<JwtKey>,
    pub(super) wit: ArcSwapOption<WitKey>,
    pub(super) states: ArcSwap<States>,
    pub(super) identity: Arc<IdentitySource>,
    /// The same with the key's bytes, for plugins that act as this server.
    pub(super) credentials: ArcSwapOption<ServerCredentials>,
    pub(super) failures: AtomicU64,
    /// That JWT keys do not reach the authority above is said once.
    pub(super) jwt_stays_here: Once,
}

impl Desk {
    pub(super) fn new(
        trust_domain: TrustDomain,
        settings: AuthoritySettings,
        clock: Clock,
        pool: SigningPool,
        upstream: Option<Arc<dyn UpstreamAuthority>>,
        identity: Arc<IdentitySource>,
    ) -> Self {
        Self {
            trust_domain,
            settings,
            clock,
            pool,
            upstream,
            x509: ArcSwapOption::empty(),
            jwt: ArcSwapOption::empty(),
            wit: ArcSwapOption::empty(),
            states: ArcSwap::default(),
            identity,
            credentials: ArcSwapOption::empty(),
            failures: AtomicU64::new(0),
            jwt_stays_here: Once::new(),
        }
    }
}

/// Handle to this server's authorities; cheap to clone. What it signs, it signs for a grant: see the `sign_…` and
/// `mint_…` functions.
#[derive(Clone)]
pub struct Authorities {
    pub(super) desk: Arc<Desk>,
    pub(super) orders: mpsc::Sender<Ordered>,
    /// The keeper until it runs.
    keeper: Arc<Mutex<Option<Keeper>>>,
}

impl Authorities {
    /// Takes up the authorities where the journal left them, or makes the first ones: the server can sign when this
    /// returns. They are moved on by [`run`](Self::run). With an `upstream` authority, that one signs the X.509 CAs.
    #[allow(clippy::too_many_arguments)] // what a server is made of, each named where it is given
    pub async fn open(
        trust_domain: TrustDomain,
        settings: AuthoritySettings,
        registry: Arc<Registry>,
        keys: Arc<dyn KeyManager>,
        upstream: Option<Arc<dyn UpstreamAuthority>>,
        pool: SigningPool,
        clock: Clock,
    ) -> Result<Self, AuthorityError> {
        let (orders, ordered) = mpsc::channel(WAITING_ORDERS);
        let (desk, keeper) =
            Keeper::start(trust_domain, settings, registry, keys, upstream, pool, clock, ordered).await?;
        Ok(Self { desk, orders, keeper: Arc::new(Mutex::new(Some(keeper))) })
    }

    /// Moves the authorities on as time passes, until `stop`. The first call is the task; any other returns at once.
    pub async fn run(self, stop: CancellationToken) {
        let keeper = self.take_keeper();
        drop(self);
        if let Some(keeper) = keeper {
            keeper.run(stop).await;
        }
    }

    pub(super) fn take_keeper(&self) -> Option<Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whose authorities these are.
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.desk.trust_domain
    }

    /// The active X.509 CA.
    pub(super) fn x509(&self) -> Result<Arc<X509Issuer>, SignError> {
        self.desk.x509.load_full().ok_or(SignError::NoX509Ca)
    }

    /// The active JWT key.
    pub(super) fn jwt(&self) -> Result<Arc<JwtKey>, SignError> {
        if self.desk.settings.jwt_svids == JwtSvids::Disabled {
            return Err(SignError::JwtDisabled);
        }
        self.desk.jwt.load_full().ok_or(SignError::NoJwtKey)
    }

    /// The active WIT key.
    pub(super) fn wit(&self) -> Result<Arc<WitKey>, SignError> {
        if self.desk.settings.wit_svids.is_none() {
            return Err(SignError::WitDisabled);
        }
        self.desk.wit.load_full().ok_or(SignError::NoWitKey)
    }

    /// How this server makes authorities and SVIDs.
    pub fn settings(&self) -> &AuthoritySettings {
        &self.desk.settings
    }

    /// All authorities and their stages, as of the last step.
    pub fn states(&self) -> Arc<States> {
        self.desk.states.load_full()
    }

    /// The server's own X.509-SVID with its key, for TLS: renewed in place.
    pub fn server_identity(&self) -> Arc<IdentitySource> {
        self.desk.identity.clone()
    }

    /// The same with the key's bytes; `None` until there is one.
    pub fn server_credentials(&self) -> Option<Arc<ServerCredentials>> {
        self.desk.credentials.load_full()
    }

    /// How many attempts to rotate an authority have failed since the last that went well.
    pub fn failed_rotations(&self) -> u64 {
        self.desk.failures.load(Ordering::Relaxed)
    }

    /// The signing threads.
    pub fn pool(&self) -> &SigningPool {
        &self.desk.pool
    }
}

impl std::fmt::Debug for Authorities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Authorities").field(&self.states()).finish()
    }
}

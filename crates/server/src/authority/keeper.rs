//! The one task that moves authorities on.

mod follow;
mod hands;
mod obey;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use kit::clock::Clock;
use model::UnixTime;
use model::ports::{KeyManager, UpstreamAuthority};
use spiffe::TrustDomain;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use self::hands::{Hands, serve};
use super::error::{AuthorityError, chain};
use super::handle::Desk;
use super::identity::ServerSvid;
use super::journal::Book;
use super::jwt::JwtKey;
use super::kind::Kind;
use super::line::Line;
use super::order::Ordered;
use super::prune::{prune_bundle, prune_journals};
use super::settings::{AuthoritySettings, JwtSvids};
use super::state::States;
use super::wit::WitKey;
use super::x509::X509Ca;
use crate::metrics::BUNDLE_PRUNE;
use crate::registry::Registry;
use crate::signing::SigningPool;

/// The longest nap: a clock that is set forward, or a machine that slept, is noticed within this time.
const NAP: Duration = Duration::from_secs(10);
/// The shortest nap: lives too short to keep up with do not eat a core.
const BREATH: Duration = Duration::from_millis(50);
/// When to try again what failed.
const RETRY: Duration = Duration::from_secs(10);
/// How often the bundle is searched for what has ended (SPIRE 1.16).
const PRUNE_BUNDLE_EVERY: Duration = Duration::from_secs(6 * 60 * 60);
/// How often journals are searched for what has ended (SPIRE 1.16).
const PRUNE_JOURNALS_EVERY: Duration = Duration::from_secs(8 * 60 * 60);

/// Owns the authorities and moves them on as time passes. [`Keeper::run`] is its task.
pub(super) struct Keeper {
    registry: Arc<Registry>,
    keys: Arc<dyn KeyManager>,
    desk: Arc<Desk>,
    book: Book,
    /// The registry does not have the journal as it is: a stage was changed while the database did not answer.
    unsaved: bool,
    x509: Line<X509Ca>,
    jwt: Line<JwtKey>,
    wit: Line<WitKey>,
    svid: ServerSvid,
    orders: mpsc::Receiver<Ordered>,
    prune_bundle_at: SystemTime,
    prune_journals_at: SystemTime,
}

/// The lines, for a hand to work on one.
struct Lines<'a> {
    x509: &'a mut Line<X509Ca>,
    jwt: &'a mut Line<JwtKey>,
    wit: &'a mut Line<WitKey>,
}

impl Keeper {
    /// Takes up the authorities where the journal left them, or makes the first ones, so that the server can sign when
    /// this returns. The keeper must then be [`run`](Self::run).
    #[allow(clippy::too_many_arguments)] // as `Authorities::open`
    pub(super) async fn start(
        trust_domain: TrustDomain,
        settings: AuthoritySettings,
        registry: Arc<Registry>,
        keys: Arc<dyn KeyManager>,
        upstream: Option<Arc<dyn UpstreamAuthority>>,
        pool: SigningPool,
        clock: Clock,
        orders: mpsc::Receiver<Ordered>,
    ) -> Result<(Arc<Desk>, Keeper), AuthorityError> {
        let now = clock.now();
        let held = keys.list().await.map_err(|e| AuthorityError::key("(all of them)", e))?;
        let snapshot = registry.snapshot();
        let book = Book::find(&snapshot, &held);
        let bundle = snapshot.bundle(&trust_domain).map(|bundle| &**bundle);
        let x509 = book.restore(bundle, &*keys, UnixTime::of(now)).await?;
        let jwt = match settings.jwt_svids {
            JwtSvids::Enabled => book.restore(bundle, &*keys, UnixTime::of(now)).await?,
            JwtSvids::Disabled => Line::default(),
        };
        let wit = match settings.wit_svids {
            Some(_) => book.restore(bundle, &*keys, UnixTime::of(now)).await?,
            None => Line::default(),
        };
        let svid = ServerSvid::new();
        let desk = Arc::new(Desk::new(trust_domain, settings, clock, pool, upstream, svid.source()));
        let mut keeper = Keeper {
            registry,
            keys,
            desk: desk.clone(),
            book,
            unsaved: false,
            x509,
            jwt,
            wit,
            svid,
            orders,
            prune_bundle_at: now + PRUNE_BUNDLE_EVERY,
            prune_journals_at: now + PRUNE_JOURNALS_EVERY,
        };
        serve(&keeper.desk, &keeper.x509);
        serve(&keeper.desk, &keeper.jwt);
        serve(&keeper.desk, &keeper.wit);
        // A successor that cannot be prepared now is no reason not to serve with what there is.
        let x509 = keeper.rotate_x509(now).await;
        keeper.sure(x509, keeper.x509.active.is_some())?;
        let jwt = keeper.rotate_jwt(now).await;
        keeper.sure(jwt, keeper.jwt.active.is_some())?;
        let wit = keeper.rotate_wit(now).await;
        keeper.sure(wit, keeper.wit.active.is_some())?;
        keeper.tell();
        keeper.renew_svid(now).await?;
        Ok((desk, keeper))
    }

    /// A failure that leaves nothing to sign with.
    fn sure(&self, done: Result<SystemTime, AuthorityError>, usable: bool) -> Result<(), AuthorityError> {
        match done {
            Err(error) if !usable => Err(error),
            // The first step will try again and say so.
            _ => Ok(()),
        }
    }

    /// Moves authorities on until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut changes = self.registry.changes();
        let mut news = follow::watch(self.desk.clone(), stop.clone());
        loop {
            let due = self.step().await;
            let nap = due.duration_since(self.desk.clock.now()).unwrap_or_default().clamp(BREATH, NAP);
            let wake = tokio::time::Instant::now() + nap;
            loop {
                // A change that comes between the step and this wait is not lost: the watch remembers it.
                tokio::select! {
                    () = stop.cancelled() => return self.save().await,
                    () = tokio::time::sleep_until(wake) => break,
                    // The handle may be gone, but then nobody orders. The step that follows replaces what a taint spoiled.
                    Some(ordered) = self.orders.recv() => {
                        self.obey(ordered).await;
                        break;
                    }
                    // Without an upstream authority there is never news.
                    Some(bundle) = news.recv() => {
                        self.follow(&bundle).await;
                        break;
                    }
                    Ok(()) = changes.changed() => {
                        if self.svid.is_tainted(self.registry.snapshot().bundle(&self.desk.trust_domain)) {
                            break;
                        }
                    }
                }
            }
        }
    }

    /// Does what is due and returns when something is due next. Idempotent; what fails is logged and tried again.
    pub(super) async fn step(&mut self) -> SystemTime {
        let now = self.desk.clock.now();
        let again = now + RETRY.min(self.desk.settings.ca_ttl / 20);
        if self.unsaved {
            self.save().await;
        }
        let x509 = self.rotate_x509(now).await;
        let failures = self.desk.failures.load(Ordering::Relaxed);
        let x509 = self.due(x509, X509Ca::NAME, again);
        // Without an X.509 CA there is nobody to give JWT-SVIDs and WIT-SVIDs to.
        let jwt = match self.x509.active {
            Some(_) => self.rotate_jwt(now).await,
            None => Ok(again),
        };
        let jwt = self.due(jwt, JwtKey::NAME, again);
        let wit = match self.x509.active {
            Some(_) => self.rotate_wit(now).await,
            None => Ok(again),
        };
        let wit = self.due(wit, WitKey::NAME, again);
        if self.desk.failures.load(Ordering::Relaxed) == failures {
            self.desk.failures.store(0, Ordering::Relaxed);
        }
        self.tell();
        let svid = self.renew_svid(now).await.unwrap_or_else(|error| {
            tracing::error!(error = %error, "Could not rotate server SVID");
            again
        });
        self.prune(now).await;
        let pending = if self.unsaved { again } else { x509 };
        [x509, jwt, wit, svid, pending, self.prune_bundle_at, self.prune_journals_at]
            .into_iter()
            .min()
            .unwrap_or(again)
    }

    fn due(&self, result: Result<SystemTime, AuthorityError>, kind: &str, again: SystemTime) -> SystemTime {
        result.unwrap_or_else(|error| {
            self.desk.failures.fetch_add(1, Ordering::Relaxed);
            tracing::error!(error = chain(&error), "Unable to rotate {kind}");
            again
        })
    }

    async fn rotate_x509(&mut self, now: SystemTime) -> Result<SystemTime, AuthorityError> {
        let (mut hands, lines) = self.hands();
        hands.rotate(lines.x509, now).await
    }

    async fn rotate_jwt(&mut self, now: SystemTime) -> Result<SystemTime, AuthorityError> {
        if self.desk.settings.jwt_svids == JwtSvids::Disabled {
            return Ok(now + PRUNE_BUNDLE_EVERY);
        }
        let (mut hands, lines) = self.hands();
        hands.rotate(lines.jwt, now).await
    }

    async fn rotate_wit(&mut self, now: SystemTime) -> Result<SystemTime, AuthorityError> {
        if self.desk.settings.wit_svids.is_none() {
            return Ok(now + PRUNE_BUNDLE_EVERY);
        }
        let (mut hands, lines) = self.hands();
        hands.rotate(lines.wit, now).await
    }

    /// What works on the lines, and the lines.
    fn hands(&mut self) -> (Hands<'_>, Lines<'_>) {
        let hands = Hands {
            registry: &self.registry,
            keys: &*self.keys,
            desk: &self.desk,
            book: &mut self.book,
            unsaved: &mut self.unsaved,
        };
        (hands, Lines { x509: &mut self.x509, jwt: &mut self.jwt, wit: &mut self.wit })
    }

    async fn renew_svid(&mut self, now: SystemTime) -> Result<SystemTime, AuthorityError> {
        let snapshot = self.registry.snapshot();
        self.svid.renew_if_due(&self.desk, snapshot.bundle(&self.desk.trust_domain), now).await
    }

    /// Writes the journal as it is.
    async fn save(&mut self) {
        if !self.unsaved {
            return;
        }
        match self.registry.write(self.book.write()).await {
            Ok(_) => self.unsaved = false,
            Err(error) => {
                tracing::error!(ca_journal_id = self.book.id(), error = %error, "The CA journal could not be stored yet");
            }
        }
    }

    async fn prune(&mut self, now: SystemTime) {
        if now >= self.prune_bundle_at {
            self.prune_bundle_at = now + PRUNE_BUNDLE_EVERY;
            let call = BUNDLE_PRUNE.start(&[]);
            let pruned = prune_bundle(&self.registry, &self.desk.trust_domain, now).await;
            call.with(&pruned, |_| Code::Internal);
            if let Err(error) = pruned {
                tracing::error!(error = %error, "Could not prune CA certificates");
            }
        }
        if now >= self.prune_journals_at {
            self.prune_journals_at = now + PRUNE_JOURNALS_EVERY;
            if let Err(error) = prune_journals(&self.registry, self.book.id(), now).await {
                tracing::error!(error = %error, "Could not prune CA journals");
            }
        }
    }

    /// Lays out the stages for whoever asks.
    fn tell(&self) {
        self.desk.states.store(Arc::new(States {
            x509: self.x509.states(),
            jwt: self.jwt.states(),
            wit: self.wit.states(),
        }));
    }
}

//! WIT-SVIDs: from memory while they are fresh, else from the server, each with a key of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use kit::clock::Clock;
use model::UnixTime;
use proto::spire::api::server::svid::v1::svid_client::SvidClient;
use proto::spire::api::server::svid::v1::{BatchNewWitsvidRequest, NewWitsvidParams};
use proto::spire::api::types::Witsvid;
use spiffe::jwk::to_private_jwk;
use spiffe::key::{KeyType, PrivateKey, Signer as _};
use spiffe::wit::{ConfirmationKey, Wit};
use tonic::{Code, Status};
use zeroize::Zeroizing;

use crate::cache::{Cache, Entry};
use crate::halflife;
use crate::link::{Link, deadline, explain};
use crate::node::Troubles;

/// How long a token is kept that could not be renewed before that is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// A WIT-SVID with its private key, which is used for no other (WIMSE credentials §9.4).
pub(crate) struct WitHeld {
    /// The token in compact form.
    pub(crate) token: Zeroizing<String>,
    /// The private key as a JWK.
    pub(crate) jwk: Zeroizing<String>,
    key_id: String,
    expires_at: SystemTime,
    renew_at: SystemTime,
}

impl WitHeld {
    /// When there should be another.
    pub(crate) fn renew_at(&self) -> SystemTime {
        self.renew_at
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WitFault {
    /// The server has no WIT-SVIDs.
    #[error("the server does not issue WIT-SVIDs; set the feature flag wit-svid there")]
    Unsupported,
    /// The server did not sign.
    #[error("failed to fetch WIT-SVID: {}", explain(.0))]
    Server(Status),
    /// The server signed something else.
    #[error("the server's answer makes no sense: {0}")]
    Answer(String),
    /// The key was not made.
    #[error("the key of a WIT-SVID could not be made: {0}")]
    Key(String),
}

struct Slot {
    used: u64,
    held: Option<(Arc<WitHeld>, Issued)>,
    /// Who asks the server for it holds this, so that it is asked once.
    asking: Arc<tokio::sync::Mutex<()>>,
}

/// What a token was issued for: an entry that changed needs another.
type Issued = (i64, i64);

#[derive(Default)]
struct Kept {
    step: u64,
    by_entry: HashMap<Arc<str>, Slot>,
}

/// Has the server issue WIT-SVIDs, and keeps them.
pub(crate) struct WitIssuer {
    pub(crate) cache: Arc<Cache>,
    pub(crate) link: Arc<Link>,
    pub(crate) troubles: Troubles,
    pub(crate) clock: Clock,
    pub(crate) key_type: KeyType,
    /// See [`crate::Settings::availability_target`].
    pub(crate) target: Option<Duration>,
    kept: Mutex<Kept>,
    max: usize,
}

impl WitIssuer {
    /// One that keeps at most `max` tokens; the longest unused goes first.
    pub(crate) fn new(
        cache: Arc<Cache>,
        link: Arc<Link>,
        troubles: Troubles,
        clock: Clock,
        key_type: KeyType,
        target: Option<Duration>,
        max: usize,
    ) -> Self {
        Self { cache, link, troubles, clock, key_type, target, kept: Mutex::default(), max: max.max(1) }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token of this entry. One whose time to be renewed has come is replaced first, if the server can be had, and
    /// handed out otherwise while it holds.
    pub(crate) async fn get(&self, entry: &Entry) -> Result<Arc<WitHeld>, WitFault> {
        let (held, asking) = self.look(entry);
        if let Some(held) = held.filter(|held| self.is_fresh(held)) {
            return Ok(held);
        }
        let _turn = asking.lock().await;
        let (held, _) = self.look(entry);
        if let Some(held) = held.as_ref().filter(|held| self.is_fresh(held)) {
            return Ok(held.clone());
        }
        let still = held.filter(|held| self.clock.now() < held.expires_at);
        match (self.ask(entry).await, still) {
            (Ok(new), _) => Ok(self.keep(entry, new)),
            (Err(error), Some(held)) => {
                tracing::warn!(subsystem_name = "manager", error = %error, spiffe_id = entry.spiffe_id.as_str(), "Unable to renew WIT-SVID; returning cached copy");
                Ok(held)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// When to look again at a token that is handed out now.
    pub(crate) fn look_again_at(&self, held: &WitHeld) -> SystemTime {
        held.renew_at().max(self.clock.now() + AGAIN)
    }

    fn is_fresh(&self, held: &WitHeld) -> bool {
        self.clock.now() < held.renew_at && !self.cache.wit_tainted(&held.key_id)
    }

    fn look(&self, entry: &Entry) -> (Option<Arc<WitHeld>>, Arc<tokio::sync::Mutex<()>>) {
        let mut kept = self.kept();
        kept.step += 1;
        let step = kept.step;
        if let Some(slot) = kept.by_entry.get_mut(&entry.id) {
            slot.used = step;
            let held = slot.held.as_ref().filter(|(_, issued)| *issued == issued_for(entry));
            return (held.map(|(held, _)| held.clone()), slot.asking.clone());
        }
        while kept.by_entry.len() >= self.max {
            let oldest = kept.by_entry.iter().min_by_key(|(_, slot)| slot.used).map(|(id, _)| id.clone());
            let Some(oldest) = oldest else { break };
            kept.by_entry.remove(&oldest);
        }
        let asking = Arc::default();
        let slot = Slot { used: step, held: None, asking: Arc::clone(&asking) };
        kept.by_entry.insert(entry.id.clone(), slot);
        (None, asking)
    }

    fn keep(&self, entry: &Entry, held: WitHeld) -> Arc<WitHeld> {
        let held = Arc::new(held);
        // It may have been let go of meanwhile, for others that were asked for.
        if let Some(slot) = self.kept().by_entry.get_mut(&entry.id) {
            slot.held = Some((held.clone(), issued_for(entry)));
        }
        held
    }

    async fn ask(&self, entry: &Entry) -> Result<WitHeld, WitFault> {
        let (key, confirmation) = make_key(self.key_type).await?;
        let param = NewWitsvidParams {
            entry_id: entry.id.to_string(),
            public_key: key.public().spki_der().to_vec(),
            signing_algorithm: confirmation.alg().jws_name().to_owned(),
        };
        let svid = self.call(param).await?;
        let jwk = to_private_jwk(&key, Some(confirmation.alg())).map_err(|e| WitFault::Key(e.to_string()))?;
        self.accept(entry, &key, jwk, svid)
    }

    async fn call(&self, param: NewWitsvidParams) -> Result<Witsvid, WitFault> {
        let connection = self.link.number();
        let mut client = SvidClient::new(self.link.channel());
        let answer = deadline(client.batch_new_witsvid(BatchNewWitsvidRequest { params: vec![param] })).await;
        let answer = answer.map_err(|status| {
            self.link.note(&status);
            self.troubles.note(connection, &status);
            match status.code() {
                Code::Unimplemented => WitFault::Unsupported,
                _ => WitFault::Server(status),
            }
        })?;
        let result = answer.into_inner().results.into_iter().next();
        let result = result.ok_or_else(|| WitFault::Answer("it is empty".to_owned()))?;
        // SPIRE 1.16 leaves the status of a success out.
        match (result.svid, result.status) {
            (Some(svid), _) => Ok(svid),
            (None, Some(status)) => {
                Err(WitFault::Server(Status::new(Code::from_i32(status.code), status.message)))
            }
            (None, None) => Err(WitFault::Answer("it holds neither a token nor a reason".to_owned())),
        }
    }

    /// Takes what the server signed, if it is for this identity and this key.
    fn accept(
        &self,
        entry: &Entry,
        key: &PrivateKey,
        jwk: Zeroizing<String>,
        svid: Witsvid,
    ) -> Result<WitHeld, WitFault> {
        let wit = Wit::parse_unverified(&svid.token).map_err(|e| WitFault::Answer(e.to_string()))?;
        if *wit.subject() != entry.spiffe_id {
            return Err(WitFault::Answer(format!("the token is that of {}", wit.subject())));
        }
        if wit.confirmation().key().spki_der() != key.public().spki_der() {
            return Err(WitFault::Answer("the token is for another key".to_owned()));
        }
        let now = self.clock.now();
        let issued_at = UnixTime(svid.issued_at).system_time();
        let (key_id, expires_at) = (wit.key_id().to_owned(), wit.expires_at());
        let renew_at = halflife::renewal(now, issued_at, expires_at, self.target);
        Ok(WitHeld { token: Zeroizing::new(svid.token), jwk, key_id, expires_at, renew_at })
    }
}

fn issued_for(entry: &Entry) -> Issued {
    (entry.revision, entry.created_at)
}

/// A key and how it is used. RSA takes long enough to be made on a thread of its own.
async fn make_key(kind: KeyType) -> Result<(PrivateKey, ConfirmationKey), WitFault> {
    let failed = |why: String| WitFault::Key(why);
    let key = match kind {
        KeyType::EcP256 | KeyType::EcP384 => PrivateKey::generate(kind),
        _ => tokio::task::spawn_blocking(move || PrivateKey::generate(kind))
            .await
            .map_err(|e| failed(e.to_string()))?,
    };
    let key = key.map_err(|e| failed(e.to_string()))?;
    let confirmation = ConfirmationKey::usual(key.public().clone()).map_err(|e| failed(e.to_string()))?;
    Ok((key, confirmation))
}

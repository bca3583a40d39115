//! JWT-SVIDs: from the cache while they are fresh, else from the server.

use std::sync::Arc;
use std::time::Duration;

use kit::clock::Clock;
use model::UnixTime;
use proto::spire::api::server::svid::v1::NewJwtsvidRequest;
use proto::spire::api::server::svid::v1::svid_client::SvidClient;
use proto::spire::api::types::Jwtsvid;
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status};
use zeroize::Zeroizing;

use crate::backoff::Backoff;
use crate::cache::{Cache, Entry, JwtHeld, JwtKey};
use crate::link::{Link, RPC_TIMEOUT, explain};
use crate::node::Troubles;

/// Tokens for audiences of more bytes than this are not kept.
const LONG: usize = 4096;
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JwtFault {
    #[error("failed to fetch JWT SVID: {}", explain(.0))]
    Server(Status),
    #[error("the server's answer makes no sense: {0}")]
    Answer(&'static str),
}

/// Has the server issue JWT-SVIDs.
pub(crate) struct JwtIssuer {
    pub(crate) cache: Arc<Cache>,
    pub(crate) link: Arc<Link>,
    pub(crate) troubles: Troubles,
    pub(crate) clock: Clock,
    /// See [`crate::Settings::jwt_svid_cache_hit_timeout`].
    pub(crate) hit_timeout: Duration,
}

impl JwtIssuer {
    /// A token of this entry for these audiences. One that is past half its life is renewed first, if the server can be
    /// had, and handed out otherwise.
    pub(crate) async fn get(&self, entry: &Entry, audience: &[String]) -> Result<JwtHeld, JwtFault> {
        // Nobody fills the cache with audiences that nobody can have.
        if entry.jti || audience.iter().map(String::len).sum::<usize>() > LONG {
            return self.ask(entry, audience, RPC_TIMEOUT, true).await;
        }
        let key = JwtKey::new(entry.spiffe_id.clone(), audience);
        let (cached, asking) = self.cache.jwt().get(&key);
        if let Some(held) = cached.filter(|held| held.is_fresh(self.clock.now())) {
            return Ok(held);
        }
        let _turn = asking.lock().await;
        let (cached, _) = self.cache.jwt().get(&key);
        let cached = cached.filter(|held| held.is_valid(self.clock.now()));
        if let Some(held) = cached.as_ref().filter(|held| held.is_fresh(self.clock.now())) {
            return Ok(held.clone());
        }
        let patience = if cached.is_some() { self.hit_timeout } else { RPC_TIMEOUT };
        match (self.ask(entry, audience, patience, cached.is_none()).await, cached) {
            (Ok(held), _) => {
                self.cache.jwt().put(key, held.clone());
                Ok(held)
            }
            (Err(error), Some(held)) => {
                tracing::warn!(subsystem_name = "manager", error = %error, spiffe_id = entry.spiffe_id.as_str(), "Unable to renew JWT; returning cached copy");
                Ok(held)
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn ask(
        &self,
        entry: &Entry,
        audience: &[String],
        patience: Duration,
        again: bool,
    ) -> Result<JwtHeld, JwtFault> {
        let end = Instant::now() + patience;
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        loop {
            let status = match timeout_at(end, self.call(entry, audience)).await {
                Ok(Ok(svid)) => return read(svid, entry),
                Ok(Err(status)) => status,
                Err(_) => Status::deadline_exceeded("the server did not answer in time"),
            };
            let wait = backoff.step();
            if !again || !is_passing(&status) || Instant::now() + wait >= end {
                return Err(JwtFault::Server(status));
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn call(&self, entry: &Entry, audience: &[String]) -> Result<Option<Jwtsvid>, Status> {
        let connection = self.link.number();
        let mut client = SvidClient::new(self.link.channel());
        let request = NewJwtsvidRequest { entry_id: entry.id.to_string(), audience: audience.to_vec() };
        match client.new_jwtsvid(request).await {
            Ok(answer) => Ok(answer.into_inner().svid),
            Err(status) => {
                self.link.note(&status);
                self.troubles.note(connection, &status);
                Err(status)
            }
        }
    }
}

fn is_passing(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::ResourceExhausted | Code::Aborted | Code::DeadlineExceeded
    )
}

fn read(svid: Option<Jwtsvid>, entry: &Entry) -> Result<JwtHeld, JwtFault> {
    let svid = svid.ok_or(JwtFault::Answer("it holds no token"))?;
    if svid.issued_at == 0 || svid.expires_at == 0 || svid.issued_at > svid.expires_at {
        return Err(JwtFault::Answer("the token's times are missing or in the wrong order"));
    }
    let id = svid.id.unwrap_or_default();
    if (id.trust_domain.as_str(), id.path.as_str())
        != (entry.spiffe_id.trust_domain().as_str(), entry.spiffe_id.path())
    {
        return Err(JwtFault::Answer("the token is another identity's"));
    }
    Ok(JwtHeld {
        token: Arc::new(Zeroizing::new(svid.token)),
        issued_at: UnixTime(svid.issued_at).system_time(),
        expires_at: UnixTime(svid.expires_at).system_time(),
    })
}

//! JWT keys.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use kit::metrics::Call;
use model::UnixTime;
use model::ports::UpstreamAuthority;
use proto::journal::{Entries, JwtKeyEntry, Status};
use spiffe::bundle::{Bundle, BundleError, JwtAuthority};
use spiffe::key::{KeyType, PublicKey, Signer};

use super::error::AuthorityError;
use super::handle::Desk;
use super::key_id::key_id;
use super::kind::{Kind, Record};
use super::settings::AuthoritySettings;
use super::slot::Slot;
use super::stage::Draft;
use crate::metrics::{JWT_KEY_ACTIVATE, JWT_KEY_PREPARE};

/// A key that signs JWT-SVIDs, and what it is called in bundles.
pub(super) struct JwtKey {
    kid: String,
    not_after: SystemTime,
    signer: Arc<dyn Signer>,
}

impl std::fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JwtKey({})", self.kid)
    }
}

impl JwtKey {
    /// What signs.
    pub(super) fn signer(&self) -> &dyn Signer {
        &*self.signer
    }

    /// As bundles have it.
    fn authority(&self) -> JwtAuthority {
        JwtAuthority {
            key_id: self.kid.clone(),
            public_key: self.signer.public().clone(),
            expires_at: Some(self.not_after),
            tainted: false,
        }
    }
}

/// Said once: each rotation would say it again.
fn warn_of(upstream: &dyn UpstreamAuthority) {
    tracing::warn!(
        plugin_name = upstream.name(),
        "UpstreamAuthority plugin does not support JWT-SVIDs. Workloads managed by this server may have trouble \
         communicating with workloads outside this cluster when using JWT-SVIDs."
    );
}

#[async_trait]
impl Kind for JwtKey {
    const NAME: &'static str = "JWT key";
    type Record = JwtKeyEntry;

    fn records(journal: &mut Entries) -> &mut Vec<JwtKeyEntry> {
        &mut journal.jwt_keys
    }

    fn key_name(slot: Slot) -> &'static str {
        match slot {
            Slot::A => "JWT-Signer-A",
            Slot::B => "JWT-Signer-B",
        }
    }

    fn key_type(settings: &AuthoritySettings) -> KeyType {
        settings.jwt_key_type
    }

    async fn make(signer: Arc<dyn Signer>, desk: &Desk, now: SystemTime) -> Result<Self, AuthorityError> {
        // Whole seconds, as the bundle and the journal keep it, so that a restart finds the same.
        let not_after = UnixTime::of(now + desk.settings.ca_ttl).system_time();
        let key = Self { kid: key_id()?, not_after, signer };
        // Known above before it is known here, so that no token is signed that only this server's agents can verify.
        if let Some(upstream) = &desk.upstream {
            let known = upstream.publish_jwt(&key.authority()).await?;
            kit::steps::done(Self::NAME, "known above");
            if !known {
                desk.jwt_stays_here.call_once(|| warn_of(&**upstream));
            }
        }
        Ok(key)
    }

    fn restore(record: &JwtKeyEntry, signer: Arc<dyn Signer>) -> Result<Self, String> {
        Ok(Self { kid: record.kid.clone(), not_after: UnixTime(record.not_after).system_time(), signer })
    }

    fn record(draft: &Draft<Self>) -> JwtKeyEntry {
        JwtKeyEntry {
            slot_id: draft.slot.as_str().to_owned(),
            issued_at: UnixTime::of(draft.issued_at).0,
            not_after: UnixTime::of(draft.key.not_after).0,
            kid: draft.key.kid.clone(),
            public_key: draft.key.signer.public().spki_der().to_vec(),
            status: Status::Prepared.into(),
            authority_id: draft.key.kid.clone(),
        }
    }

    fn id(&self) -> &str {
        &self.kid
    }

    fn upstream_id(&self) -> &str {
        ""
    }

    fn not_after(&self) -> SystemTime {
        self.not_after
    }

    fn is_in(&self, bundle: &Bundle) -> bool {
        bundle
            .jwt_authorities()
            .iter()
            .any(|authority| authority.key_id == self.kid && authority.public_key == *self.signer.public())
    }

    fn add_to(&self, bundle: &mut Bundle) -> Result<bool, BundleError> {
        bundle.push_jwt(self.authority())
    }

    fn preparations() -> &'static Call {
        &JWT_KEY_PREPARE
    }

    fn serve(self: &Arc<Self>, desk: &Desk) {
        JWT_KEY_ACTIVATE.add(1, &[]);
        desk.jwt.store(Some(self.clone()));
    }
}

impl Record for JwtKeyEntry {
    fn slot(&self) -> &str {
        &self.slot_id
    }

    fn issued_at(&self) -> i64 {
        self.issued_at
    }

    fn not_after(&self) -> i64 {
        self.not_after
    }

    fn authority_id(&self) -> &str {
        &self.authority_id
    }

    fn status(&self) -> Status {
        JwtKeyEntry::status(self)
    }

    fn set_status(&mut self, status: Status) {
        JwtKeyEntry::set_status(self, status);
    }

    fn upstream_id(&self) -> &str {
        ""
    }

    fn public_key(&self) -> Option<PublicKey> {
        PublicKey::from_spki_der(&self.public_key).ok()
    }

    fn is_in(&self, bundle: &Bundle) -> bool {
        bundle.jwt_authority(&self.kid).is_some_and(|held| held.public_key.spki_der() == self.public_key)
    }
}

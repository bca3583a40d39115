//! Keys that sign WIT-SVIDs.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use kit::metrics::Call;
use model::UnixTime;
use proto::journal::{Entries, Status, WitKeyEntry};
use spiffe::TrustDomain;
use spiffe::bundle::{Bundle, BundleError, WitAuthority};
use spiffe::key::{KeyType, PublicKey, Signer};
use spiffe::wit::{WitClaims, WitError, WitIssuer};

use super::error::AuthorityError;
use super::handle::Desk;
use super::key_id::key_id;
use super::kind::{Kind, Record};
use super::settings::AuthoritySettings;
use super::slot::Slot;
use super::stage::Draft;
use crate::metrics::{WIT_KEY_ACTIVATE, WIT_KEY_PREPARE};

/// A key that signs WIT-SVIDs, and what it is called in bundles. It signs nothing else (WIT-SVID §6.2).
pub(super) struct WitKey {
    kid: String,
    not_after: SystemTime,
    signer: Arc<dyn Signer>,
}

impl std::fmt::Debug for WitKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WitKey({})", self.kid)
    }
}

impl WitKey {
    /// Signs a token of this trust domain.
    pub(super) fn issue(&self, trust_domain: TrustDomain, claims: &WitClaims) -> Result<String, WitError> {
        WitIssuer::named(trust_domain, self.kid.clone(), self.signer.clone())?.issue(claims)
    }
}

#[async_trait]
impl Kind for WitKey {
    const NAME: &'static str = "WIT key";
    type Record = WitKeyEntry;

    fn records(journal: &mut Entries) -> &mut Vec<WitKeyEntry> {
        &mut journal.wit_keys
    }

    fn key_name(slot: Slot) -> &'static str {
        match slot {
            Slot::A => "WIT-Signer-A",
            Slot::B => "WIT-Signer-B",
        }
    }

    fn key_type(settings: &AuthoritySettings) -> KeyType {
        settings.wit_svids.as_ref().map_or(settings.ca_key_type, |wit| wit.key_type)
    }

    /// It is known in this trust domain's own bundle only: no authority above takes WIT keys (SPIRE 1.16).
    async fn make(signer: Arc<dyn Signer>, desk: &Desk, now: SystemTime) -> Result<Self, AuthorityError> {
        // Whole seconds, as the bundle and the journal keep it, so that a restart finds the same.
        let not_after = UnixTime::of(now + desk.settings.ca_ttl).system_time();
        Ok(Self { kid: key_id()?, not_after, signer })
    }

    fn restore(record: &WitKeyEntry, signer: Arc<dyn Signer>) -> Result<Self, String> {
        Ok(Self { kid: record.kid.clone(), not_after: UnixTime(record.not_after).system_time(), signer })
    }

    fn record(draft: &Draft<Self>) -> WitKeyEntry {
        WitKeyEntry {
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
        bundle.wit_authority(&self.kid).is_some_and(|held| held.public_key == *self.signer.public())
    }

    fn add_to(&self, bundle: &mut Bundle) -> Result<bool, BundleError> {
        bundle.push_wit(WitAuthority {
            key_id: self.kid.clone(),
            public_key: self.signer.public().clone(),
            expires_at: Some(self.not_after),
            tainted: false,
        })
    }

    fn preparations() -> &'static Call {
        &WIT_KEY_PREPARE
    }

    fn serve(self: &Arc<Self>, desk: &Desk) {
        WIT_KEY_ACTIVATE.add(1, &[]);
        desk.wit.store(Some(self.clone()));
    }
}

impl Record for WitKeyEntry {
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
        WitKeyEntry::status(self)
    }

    fn set_status(&mut self, status: Status) {
        WitKeyEntry::set_status(self, status);
    }

    fn upstream_id(&self) -> &str {
        ""
    }

    fn public_key(&self) -> Option<PublicKey> {
        PublicKey::from_spki_der(&self.public_key).ok()
    }

    fn is_in(&self, bundle: &Bundle) -> bool {
        bundle.wit_authority(&self.kid).is_some_and(|held| held.public_key.spki_der() == self.public_key)
    }
}

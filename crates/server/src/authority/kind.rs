//! What the lines of authorities have in common.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use kit::metrics::Call;
use proto::journal::Entries;
use spiffe::bundle::{Bundle, BundleError};
use spiffe::key::{KeyType, PublicKey, Signer};

use super::error::AuthorityError;
use super::handle::Desk;
use super::settings::AuthoritySettings;
use super::slot::Slot;
use super::stage::Draft;

/// A kind of authority.
#[async_trait]
pub(super) trait Kind: Sized + Send + Sync + std::fmt::Debug + 'static {
    /// As log lines call it.
    const NAME: &'static str;

    /// How the journal records it.
    type Record: Record;

    /// This kind's records in a journal.
    fn records(journal: &mut Entries) -> &mut Vec<Self::Record>;

    /// The name of its key in the key manager.
    fn key_name(slot: Slot) -> &'static str;

    /// The type of its key.
    fn key_type(settings: &AuthoritySettings) -> KeyType;

    /// Makes one around a new key.
    async fn make(signer: Arc<dyn Signer>, desk: &Desk, now: SystemTime) -> Result<Self, AuthorityError>;

    /// Makes the one that was recorded again, around its key; or says why that cannot be.
    fn restore(record: &Self::Record, signer: Arc<dyn Signer>) -> Result<Self, String>;

    /// What is recorded of a new one.
    fn record(draft: &Draft<Self>) -> Self::Record;

    /// Its name among authorities.
    fn id(&self) -> &str;

    /// The name of what signed it; empty for none.
    fn upstream_id(&self) -> &str;

    /// When it ends.
    fn not_after(&self) -> SystemTime;

    /// Whether the bundle has it.
    fn is_in(&self, bundle: &Bundle) -> bool;

    /// Adds it to the bundle; whether it was not there.
    fn add_to(&self, bundle: &mut Bundle) -> Result<bool, BundleError>;

    /// Where its preparation is counted.
    fn preparations() -> &'static Call;

    /// Makes it the one that signs.
    fn serve(self: &Arc<Self>, desk: &Desk);
}

/// A record in the journal, of whatever kind.
pub(super) trait Record: Clone + Send + Sync {
    /// Where the key is.
    fn slot(&self) -> &str;
    /// When it was made.
    fn issued_at(&self) -> i64;
    /// When it ends.
    fn not_after(&self) -> i64;
    /// Its name among authorities.
    fn authority_id(&self) -> &str;
    /// Its stage.
    fn status(&self) -> proto::journal::Status;
    /// Notes another stage.
    fn set_status(&mut self, status: proto::journal::Status);
    /// The name of what signed it; empty for none.
    fn upstream_id(&self) -> &str;
    /// Whether the bundle has it, or the root above it.
    fn is_in(&self, bundle: &Bundle) -> bool;
    /// Its public key, if it can be read.
    fn public_key(&self) -> Option<PublicKey>;
}

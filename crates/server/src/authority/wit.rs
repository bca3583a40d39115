//! What is particular to the keys of WIT-SVIDs.

use std::sync::Arc;

use async_trait::async_trait;
use kit::metrics::Call;
use proto::journal::{Entries, WitKeyEntry};
use spiffe::bundle::{Bundle, BundleError, WitAuthority};
use spiffe::key::{KeyType, PublicKey};

use super::error::AuthorityError;
use super::handle::Desk;
use super::kind::Kind;
use super::settings::AuthoritySettings;
use super::token::{TokenKey, Tokens};
use crate::metrics::{WIT_KEY_ACTIVATE, WIT_KEY_PREPARE};

/// WIT-SVIDs.
pub(super) enum Wit {}

/// A key that signs WIT-SVIDs.
pub(super) type WitKey = TokenKey<Wit>;

#[async_trait]
impl Tokens for Wit {
    const NAME: &'static str = "WIT key";
    const KEYS: [&'static str; 2] = ["WIT-Signer-A", "WIT-Signer-B"];
    type Record = WitKeyEntry;

    fn records(journal: &mut Entries) -> &mut Vec<WitKeyEntry> {
        &mut journal.wit_keys
    }

    fn key_type(settings: &AuthoritySettings) -> KeyType {
        settings.wit_svids.as_ref().map_or(KeyType::EcP256, |wit| wit.key_type)
    }

    /// No authority above takes them: SPIRE 1.16 has the call and does not implement it.
    async fn publish_above(_: &WitKey, _: &Desk) -> Result<(), AuthorityError> {
        Ok(())
    }

    fn held<'a>(bundle: &'a Bundle, kid: &str) -> Option<&'a PublicKey> {
        bundle.wit_authority(kid).map(|authority| &authority.public_key)
    }

    fn push(key: &WitKey, bundle: &mut Bundle) -> Result<bool, BundleError> {
        bundle.push_wit(WitAuthority {
            key_id: key.id().to_owned(),
            public_key: key.public().clone(),
            expires_at: Some(key.not_after()),
            tainted: false,
        })
    }

    fn preparations() -> &'static Call {
        &WIT_KEY_PREPARE
    }

    fn serve(key: &Arc<WitKey>, desk: &Desk) {
        WIT_KEY_ACTIVATE.add(1, &[]);
        desk.wit.store(Some(key.clone()));
    }
}

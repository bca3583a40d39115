//! What is particular to the keys of JWT-SVIDs.

use std::sync::Arc;

use async_trait::async_trait;
use kit::metrics::Call;
use model::ports::UpstreamAuthority;
use proto::journal::{Entries, JwtKeyEntry};
use spiffe::bundle::{Bundle, BundleError, JwtAuthority};
use spiffe::key::{KeyType, PublicKey};

use super::error::AuthorityError;
use super::handle::Desk;
use super::kind::Kind;
use super::settings::AuthoritySettings;
use super::token::{TokenKey, Tokens};
use crate::metrics::{JWT_KEY_ACTIVATE, JWT_KEY_PREPARE};

/// JWT-SVIDs.
pub(super) enum Jwt {}

/// A key that signs JWT-SVIDs.
pub(super) type JwtKey = TokenKey<Jwt>;

/// As bundles have it.
fn authority(key: &JwtKey) -> JwtAuthority {
    JwtAuthority {
        key_id: key.id().to_owned(),
        public_key: key.public().clone(),
        expires_at: Some(key.not_after()),
        tainted: false,
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
impl Tokens for Jwt {
    const NAME: &'static str = "JWT key";
    const KEYS: [&'static str; 2] = ["JWT-Signer-A", "JWT-Signer-B"];
    type Record = JwtKeyEntry;

    fn records(journal: &mut Entries) -> &mut Vec<JwtKeyEntry> {
        &mut journal.jwt_keys
    }

    fn key_type(settings: &AuthoritySettings) -> KeyType {
        settings.jwt_key_type
    }

    async fn publish_above(key: &JwtKey, desk: &Desk) -> Result<(), AuthorityError> {
        if let Some(upstream) = &desk.upstream {
            let known = upstream.publish_jwt(&authority(key)).await?;
            kit::steps::done(Self::NAME, "known above");
            if !known {
                desk.jwt_stays_here.call_once(|| warn_of(&**upstream));
            }
        }
        Ok(())
    }

    fn held<'a>(bundle: &'a Bundle, kid: &str) -> Option<&'a PublicKey> {
        bundle.jwt_authority(kid).map(|authority| &authority.public_key)
    }

    fn push(key: &JwtKey, bundle: &mut Bundle) -> Result<bool, BundleError> {
        bundle.push_jwt(authority(key))
    }

    fn preparations() -> &'static Call {
        &JWT_KEY_PREPARE
    }

    fn serve(key: &Arc<JwtKey>, desk: &Desk) {
        JWT_KEY_ACTIVATE.add(1, &[]);
        desk.jwt.store(Some(key.clone()));
    }
}

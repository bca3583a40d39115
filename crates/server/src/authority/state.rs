use std::time::SystemTime;

use super::Slot;

/// Where an authority stands in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// In the bundle, not signing yet.
    Prepared,
    /// Signing.
    Active,
    /// No longer signing; what it signed may still be valid.
    Old,
}

impl Stage {
    /// As journals and refusals call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Prepared => "PREPARED",
            Stage::Active => "ACTIVE",
            Stage::Old => "OLD",
        }
    }
}

/// One authority, as told to operators.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthorityState {
    /// Its name: the subject key ID in hexadecimal of an X.509 CA, the key ID of a JWT or WIT key.
    pub id: String,
    /// Where it stands.
    pub stage: Stage,
    /// Where its key is.
    pub slot: Slot,
    /// When it was made.
    pub issued_at: SystemTime,
    /// When it ends.
    pub expires_at: SystemTime,
    /// The name of the authority that signed it; empty when there is none.
    pub upstream_id: String,
}

/// All authorities of this server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct States {
    /// X.509 CAs: the active one, and the prepared or the old one.
    pub x509: Vec<AuthorityState>,
    /// JWT keys: the active one, and the prepared or the old one.
    pub jwt: Vec<AuthorityState>,
    /// WIT keys: the same.
    pub wit: Vec<AuthorityState>,
}

//! `publish-bundle`: a trust domain publishes what it holds.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::TrustDomain;
use spiffe::bundle::{Bundle, JwtAuthority, WitAuthority, WitKeys, X509Authority};
use spiffe::key::PublicKey;
use spiffe::x509::Certificate;
use std::time::Duration;

use super::Outcome;
use super::input::{Bytes, KeyEntry};
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "publish-bundle";

/// What is published, and what was before.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// Whose it is.
    pub trust_domain: String,
    /// What is published now.
    pub bundle: Held,
    /// What was published last, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Held>,
}

/// What a trust domain holds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Signing certificates, DER.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub x509: Vec<Bytes>,
    /// Keys of JWT-SVIDs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jwt: Vec<KeyEntry>,
    /// Keys of WIT-SVIDs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wit: Vec<KeyEntry>,
    /// The number of these contents.
    pub sequence: u64,
    /// In seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_hint: Option<u64>,
}

impl From<Members> for Input {
    fn from(members: Members) -> Self {
        Self { kind: KIND, members: json!(members) }
    }
}

impl Held {
    fn bundle(self, trust_domain: TrustDomain) -> Result<Bundle, String> {
        let mut bundle = Bundle::new(trust_domain);
        for der in self.x509 {
            let certificate = Certificate::parse(der.0).map_err(|e| e.to_string())?;
            bundle.push_x509(X509Authority { certificate, tainted: false }).map_err(|e| e.to_string())?;
        }
        let key = |key: &KeyEntry| PublicKey::from_spki_der(&key.spki.0).map_err(|e| e.to_string());
        for entry in self.jwt {
            let public_key = key(&entry)?;
            let authority = JwtAuthority { key_id: entry.kid, public_key, expires_at: None, tainted: false };
            bundle.push_jwt(authority).map_err(|e| e.to_string())?;
        }
        for entry in self.wit {
            let public_key = key(&entry)?;
            let authority = WitAuthority { key_id: entry.kid, public_key, expires_at: None, tainted: false };
            bundle.push_wit(authority).map_err(|e| e.to_string())?;
        }
        bundle.sequence = self.sequence;
        bundle.refresh_hint = self.refresh_hint.map(Duration::from_secs);
        Ok(bundle)
    }
}

/// The outcome is the document itself.
pub(super) fn judge(members: Members) -> Outcome {
    let trust_domain = TrustDomain::parse(&members.trust_domain).map_err(|e| e.to_string())?;
    let bundle = members.bundle.bundle(trust_domain.clone())?;
    let previous = members.previous.map(|held| held.bundle(trust_domain)).transpose()?;
    let document = bundle.publish(previous.as_ref(), WitKeys::Included).map_err(|e| e.to_string())?;
    serde_json::from_str(&document).map_err(|e| e.to_string())
}

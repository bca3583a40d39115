//! `issue-wit-svid`: an authority is asked for a WIT-SVID.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spiffe::bundle::Bundle;
use spiffe::key::{PrivateKey, SigAlg};
use spiffe::wit::{ConfirmationKey, Lifespan, Wit, WitClaims, WitIssuer};
use spiffe::{SpiffeId, TrustDomain, jwk};

use super::Outcome;
use super::input::{Bytes, moment};
use super::issue_jwt_svid::written;
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "issue-wit-svid";

/// What is asked for, and who signs it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// The trust domain of the authority.
    pub trust_domain: String,
    /// The authority's key, PKCS#8.
    pub key: Bytes,
    /// Its key id.
    pub kid: String,
    /// The algorithm; the key's usual one if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// Whom the token names.
    pub subject: String,
    /// The workload's public key, a JWK with `alg`.
    pub confirmation: Value,
    /// In seconds since 1970.
    pub expires_at: i64,
    /// `nbf`, if there is to be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<i64>,
    /// `iat`, if there is to be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<i64>,
    /// `iss`, if there is to be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// `jti`, if there is to be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// When it is issued, in seconds since 1970.
    pub now: i64,
}

impl From<Members> for Input {
    fn from(members: Members) -> Self {
        Self { kind: KIND, members: json!(members) }
    }
}

/// The outcome is what the token says; it must verify too.
pub(super) fn judge(members: Members) -> Outcome {
    let trust_domain = TrustDomain::parse(&members.trust_domain).map_err(|e| e.to_string())?;
    let key = Arc::new(PrivateKey::from_pkcs8(&members.key.0).map_err(|e| e.to_string())?);
    let mut issuer = WitIssuer::named(trust_domain.clone(), members.kid, key).map_err(|e| e.to_string())?;
    if let Some(alg) = &members.alg {
        let alg = SigAlg::from_jws(alg).ok_or_else(|| format!("{alg} is not known"))?;
        issuer = issuer.with_algorithm(alg).map_err(|e| e.to_string())?;
    }
    let key = jwk::from_jwk(&members.confirmation).map_err(|e| e.to_string())?;
    let alg = key.limit().ok_or("the confirmation key has no algorithm")?;
    let claims = WitClaims {
        subject: SpiffeId::parse(&members.subject).map_err(|e| e.to_string())?,
        confirmation: ConfirmationKey::new(key, alg).map_err(|e| e.to_string())?,
        expires_at: moment(members.expires_at),
        not_before: members.not_before.map(moment),
        issued_at: members.issued_at.map(moment),
        issuer: members.issuer,
        jti: members.jti,
    };
    let token = issuer.issue(&claims).map_err(|e| e.to_string())?;
    let mut bundle = Bundle::new(trust_domain);
    bundle.push_wit(issuer.authority()).map_err(|e| e.to_string())?;
    Wit::verify(&token, &bundle, Lifespan::AsIssued, moment(members.now)).map_err(|e| e.to_string())?;
    written(&token)
}

//! What a WIT-SVID says.

use std::time::SystemTime;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::confirmation::Cnf;
use super::{ConfirmationKey, WitError};
use crate::SpiffeId;
use crate::jws;
use crate::key::KeyError;

/// What a WIT-SVID says (WIT-SVID §3). It never has an audience: that is in the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitClaims {
    /// Whom it names: `sub`.
    pub subject: SpiffeId,
    /// The key that whoever presents it must have: `cnf`.
    pub confirmation: ConfirmationKey,
    /// When it stops holding: `exp`.
    pub expires_at: SystemTime,
    /// When it begins to hold: `nbf`. Verifiers need not grant a leeway, so a moment before now is wise.
    pub not_before: Option<SystemTime>,
    /// When it was made: `iat`. It never decides whether a token holds (§3.6).
    pub issued_at: Option<SystemTime>,
    /// Who made it: `iss`. Not a URL that a client of OpenID Connect could resolve (§3.7).
    pub issuer: Option<String>,
    /// A name of its own: `jti`; see [`random_jti`].
    pub jti: Option<String>,
}

/// A `jti` that no other token of the trust domain has: 128 random bits in base64url (WIT-SVID §3.3).
///
/// # Errors
///
/// If the machine gives no random bytes.
pub fn random_jti() -> Result<String, KeyError> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| KeyError::Generate)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[derive(Serialize)]
pub(super) struct Written<'a> {
    cnf: Cnf,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
    sub: &'a str,
}

impl<'a> Written<'a> {
    pub(super) fn of(claims: &'a WitClaims) -> Result<Self, WitError> {
        claims.issuer.as_deref().map(check_issuer).transpose()?;
        if claims.not_before.is_some_and(|start| start >= claims.expires_at) {
            return Err(WitError::Backwards);
        }
        let seconds = |at, name| jws::seconds(at, name).map_err(WitError::Moment);
        Ok(Self {
            cnf: claims.confirmation.to_cnf(),
            exp: seconds(claims.expires_at, "exp")?,
            iat: claims.issued_at.map(|at| seconds(at, "iat")).transpose()?,
            iss: claims.issuer.as_deref(),
            jti: claims.jti.as_deref(),
            nbf: claims.not_before.map(|at| seconds(at, "nbf")).transpose()?,
            sub: claims.subject.as_str(),
        })
    }
}

/// Whether tokens may name this issuer.
///
/// # Errors
///
/// If a client of OpenID Connect would look for keys behind it (WIT-SVID §3.7).
pub fn check_issuer(issuer: &str) -> Result<(), WitError> {
    if resolvable(issuer) { Err(WitError::Issuer(issuer.to_owned())) } else { Ok(()) }
}

/// Whether a client of OpenID Connect Discovery would look for keys behind it.
fn resolvable(issuer: &str) -> bool {
    let starts =
        |scheme: &str| issuer.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    starts("https://") || starts("http://")
}

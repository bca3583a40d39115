//! A WIT-SVID that is well formed.

use std::time::SystemTime;

use serde_json::{Map, Value};

use super::{ConfirmationKey, TYPE, WitError};
use crate::SpiffeId;
use crate::jws::{self, Jws};
use crate::key::SigAlg;

/// A WIT-SVID, parsed and well formed; its signature and times are not judged.
#[derive(Debug, Clone)]
pub struct Wit {
    jws: Jws,
    key_id: String,
    subject: SpiffeId,
    confirmation: ConfirmationKey,
    expires_at: SystemTime,
    not_before: Option<SystemTime>,
    claims: Map<String, Value>,
}

impl Wit {
    /// Parses a token without believing it.
    ///
    /// # Errors
    ///
    /// If it is no JWS ([`Jws::parse_unverified`]), has a type other than `wit+jwt` or none (WIT-SVID §2.2), no key id
    /// (§2.1), a subject that is no SPIFFE ID (§3.1), no confirmation key or one that cannot be used (§3.2), no expiry
    /// (§3.4), an audience (§3.8), or a time that is no number.
    pub fn parse_unverified(token: &str) -> Result<Self, WitError> {
        let jws = Jws::parse_unverified(token)?;
        match jws.header().get("typ") {
            Some(Value::String(typ)) if typ == TYPE => {}
            other => {
                return Err(WitError::Type(other.map_or_else(|| "missing".to_owned(), Value::to_string)));
            }
        }
        let key_id = jws.key_id()?.ok_or(WitError::NoKeyId)?.to_owned();
        let claims = jws.claims_throughout()?;
        let subject = jws::text(&claims, "sub").ok_or(WitError::NoSubject)?;
        let subject = SpiffeId::parse(subject).map_err(WitError::Subject)?;
        if claims.contains_key("aud") {
            return Err(WitError::Audience);
        }
        let confirmation = ConfirmationKey::of_claims(&claims)?;
        let moment = |name| jws::moment(&claims, name).map_err(WitError::Moment);
        let expires_at = moment("exp")?.ok_or(WitError::NoExpiry)?;
        let not_before = moment("nbf")?;
        Ok(Self { jws, key_id, subject, confirmation, expires_at, not_before, claims })
    }

    /// Whom the token names. That is not who presented it.
    pub fn subject(&self) -> &SpiffeId {
        &self.subject
    }

    /// The key that whoever presents it must prove to have.
    pub fn confirmation(&self) -> &ConfirmationKey {
        &self.confirmation
    }

    /// The authority that is said to have signed it.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The algorithm that it says it is signed by.
    pub fn alg(&self) -> SigAlg {
        self.jws.alg()
    }

    /// When it stops holding.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// When it begins to hold, if it says so.
    pub fn not_before(&self) -> Option<SystemTime> {
        self.not_before
    }

    /// All its claims.
    pub fn claims_json(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The token itself.
    pub fn token(&self) -> &str {
        self.jws.token()
    }

    pub(super) fn jws(&self) -> &Jws {
        &self.jws
    }
}

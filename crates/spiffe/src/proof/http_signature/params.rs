//! The parameters of a signature (draft-ietf-wimse-http-signature §3).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sfv::{BareItem, Integer, KeyRef, Parameters, StringRef};

use super::{MAX_NONCE, SignatureError, TAG};
use crate::proof::ProofError;

/// How far the clock of the sender may be ahead.
const LEEWAY: Duration = Duration::from_secs(60);

/// What the parameters say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Params {
    pub(super) created: SystemTime,
    pub(super) expires: SystemTime,
    pub(super) nonce: String,
    /// Of requests: `wimse-aud`.
    pub(super) audience: Option<String>,
    /// Of requests: `wimse-sign-response`.
    pub(super) sign_response: bool,
    /// Of responses: `wimse-req-nonce`.
    pub(super) request_nonce: Option<String>,
}

impl Params {
    pub(super) fn read(params: &Parameters) -> Result<Self, SignatureError> {
        if let Some(name) = ["keyid", "alg"].into_iter().find(|name| params.contains_key(*name)) {
            return Err(SignatureError::Forbidden(name));
        }
        if text(params, "tag")?.as_deref() != Some(TAG) {
            return Err(SignatureError::Tag);
        }
        let moment = |name| moment(params, name).ok_or(SignatureError::Parameter(name));
        let sign_response = match params.get("wimse-sign-response") {
            None => false,
            Some(BareItem::Boolean(wanted)) => *wanted,
            Some(_) => return Err(SignatureError::Parameter("wimse-sign-response")),
        };
        Ok(Self {
            created: moment("created")?,
            expires: moment("expires")?,
            nonce: text(params, "nonce")?
                .filter(|nonce| (1..=MAX_NONCE).contains(&nonce.len()))
                .ok_or(SignatureError::Parameter("nonce"))?,
            audience: text(params, "wimse-aud")?,
            sign_response,
            request_nonce: text(params, "wimse-req-nonce")?,
        })
    }

    pub(super) fn write(&self) -> Result<Parameters, SignatureError> {
        let mut params = Parameters::new();
        let mut put = |name: &'static str, value: Option<BareItem>| {
            let key = KeyRef::from_str(name).map_err(|_| SignatureError::Parameter(name))?;
            params.insert(key.to_owned(), value.ok_or(SignatureError::Parameter(name))?);
            Ok::<(), SignatureError>(())
        };
        put("created", integer(self.created))?;
        put("expires", integer(self.expires))?;
        put("nonce", string(&self.nonce))?;
        put("tag", string(TAG))?;
        if let Some(audience) = &self.audience {
            put("wimse-aud", string(audience))?;
        }
        if self.sign_response {
            put("wimse-sign-response", Some(true.into()))?;
        }
        if let Some(nonce) = &self.request_nonce {
            put("wimse-req-nonce", string(nonce))?;
        }
        Ok(params)
    }

    /// Whether they hold now, and for no longer than they may.
    pub(super) fn check(&self, longest: Duration, now: SystemTime) -> Result<(), ProofError> {
        if self.expires <= now {
            return Err(ProofError::Expired);
        }
        if self.created.duration_since(now).is_ok_and(|ahead| ahead > LEEWAY) {
            return Err(ProofError::NotYet);
        }
        let life = self.expires.duration_since(self.created.min(now)).unwrap_or_default();
        if self.expires <= self.created {
            return Err(SignatureError::Parameter("expires").into());
        }
        if life > longest { Err(ProofError::TooLong(longest)) } else { Ok(()) }
    }
}

fn text(params: &Parameters, name: &'static str) -> Result<Option<String>, SignatureError> {
    match params.get(name) {
        None => Ok(None),
        Some(BareItem::String(text)) => Ok(Some(text.as_str().to_owned())),
        Some(_) => Err(SignatureError::Parameter(name)),
    }
}

fn moment(params: &Parameters, name: &'static str) -> Option<SystemTime> {
    let BareItem::Integer(seconds) = params.get(name)? else { return None };
    let seconds = u64::try_from(i64::from(*seconds)).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn integer(at: SystemTime) -> Option<BareItem> {
    let seconds = at.duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(BareItem::Integer(Integer::try_from(seconds).ok()?))
}

fn string(text: &str) -> Option<BareItem> {
    Some(BareItem::String(StringRef::from_str(text).ok()?.to_owned()))
}

//! Reading and verifying a JWT-SVID.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::JwtError;
use crate::SpiffeId;
use crate::bundle::{Bundle, BundleSource, JwtAuthority};
use crate::jws::{self, Jws, JwsError};
use crate::key::SigAlg;

/// How far the clocks of issuer and verifier may be apart when `nbf` is judged; expiry is judged without.
const LEEWAY: Duration = Duration::from_secs(60);
/// How many keys are tried on a token that does not say which one signed it.
const MAX_TRIES: usize = 32;

/// A JWT-SVID, parsed and well formed; its signature and times are not judged.
#[derive(Debug, Clone)]
pub struct JwtSvid {
    jws: Jws,
    id: SpiffeId,
    audience: Vec<String>,
    expires_at: SystemTime,
    not_before: Option<SystemTime>,
    issued_at: Option<SystemTime>,
    claims: Map<String, Value>,
}

impl JwtSvid {
    /// Parses a token without believing it.
    ///
    /// # Errors
    ///
    /// If it is no JWS ([`Jws::parse_unverified`]), has a type other than `JWT` or `JOSE` (JWT-SVID §2.3), a subject that
    /// is no SPIFFE ID (§3.1), no audience (§3.2), no expiry (§3.3), or a time that is no number.
    pub fn parse_unverified(token: &str) -> Result<Self, JwtError> {
        let jws = Jws::parse_unverified(token)?;
        match jws.header().get("typ") {
            None => {}
            Some(Value::String(typ)) if typ == "JWT" || typ == "JOSE" => {}
            Some(other) => return Err(JwtError::Type(other.to_string())),
        }
        jws.key_id()?;
        let claims = jws.claims()?;
        let subject = jws::text(&claims, "sub").ok_or(JwtError::NoSubject)?;
        let id = SpiffeId::parse(subject).map_err(JwtError::Subject)?;
        let audience = audience(&claims).filter(|all| !all.is_empty()).ok_or(JwtError::NoAudience)?;
        let moment = |name| jws::moment(&claims, name).map_err(JwtError::Moment);
        let expires_at = moment("exp")?.ok_or(JwtError::NoExpiry)?;
        let (not_before, issued_at) = (moment("nbf")?, moment("iat")?);
        Ok(Self { jws, id, audience, expires_at, not_before, issued_at, claims })
    }

    /// Verifies a token at `now` for one of the audiences, against the bundle of its own trust domain (JWT-SVID §4, §5).
    ///
    /// # Errors
    ///
    /// If it is malformed, has expired or does not hold yet, is for none of the audiences (so always if there are none),
    /// there is no bundle of its trust domain, or none of that bundle's JWT authorities signed it.
    pub fn verify(
        token: &str,
        bundles: &(impl BundleSource + ?Sized),
        audiences: &[&str],
        now: SystemTime,
    ) -> Result<VerifiedJwtSvid, JwtError> {
        let svid = Self::parse_unverified(token)?;
        if now >= svid.expires_at {
            return Err(JwtError::Expired);
        }
        if svid.not_before.and_then(|start| start.checked_sub(LEEWAY)).is_some_and(|start| start > now) {
            return Err(JwtError::NotYet);
        }
        if !svid.audience.iter().any(|aud| audiences.contains(&aud.as_str())) {
            let expected = audiences.iter().map(|a| (*a).to_owned()).collect();
            return Err(JwtError::Audience { expected, got: svid.audience });
        }
        let trust_domain = svid.id.trust_domain();
        let bundle = bundles.bundle(&trust_domain).ok_or_else(|| JwtError::NoBundle(trust_domain.clone()))?;
        let authority = svid.signed_by(bundle)?.clone();
        Ok(VerifiedJwtSvid { svid, authority, verified_at: now })
    }

    /// The key id is optional (JWT-SVID §2.2): without one, each key that fits the algorithm is tried, up to a bound.
    fn signed_by<'b>(&self, bundle: &'b Bundle) -> Result<&'b JwtAuthority, JwtError> {
        let holds = |authority: &&JwtAuthority| self.jws.verify(&authority.public_key).is_ok();
        let held = match self.jws.key_id()? {
            Some(key_id) => {
                let authority = bundle.jwt_authority(key_id).ok_or_else(|| JwtError::NoAuthority {
                    key_id: key_id.to_owned(),
                    trust_domain: bundle.trust_domain().clone(),
                })?;
                Some(authority).filter(holds)
            }
            None => {
                let fit = |authority: &&JwtAuthority| authority.public_key.supports(self.jws.alg());
                bundle.jwt_authorities().iter().filter(fit).take(MAX_TRIES).find(holds)
            }
        };
        held.ok_or(JwtError::Jws(JwsError::Signature))
    }

    /// Whom it names.
    pub fn id(&self) -> &SpiffeId {
        &self.id
    }

    /// Whom it is for.
    pub fn audience(&self) -> &[String] {
        &self.audience
    }

    /// The algorithm that it says it is signed by.
    pub fn alg(&self) -> SigAlg {
        self.jws.alg()
    }

    /// The authority that is said to have signed it, if it says so.
    pub fn key_id(&self) -> Option<&str> {
        self.jws.key_id().ok().flatten()
    }

    /// When it stops holding.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// When it was made, if it says so.
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.issued_at
    }

    /// All its claims.
    pub fn claims_json(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The token itself.
    pub fn token(&self) -> &str {
        self.jws.token()
    }
}

/// `aud` on the wire is one text or a list of them (RFC 7519 §4.1.3).
fn audience(claims: &Map<String, Value>) -> Option<Vec<String>> {
    match claims.get("aud")? {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(all) => all.iter().map(|v| v.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// A JWT-SVID that was verified; nothing else builds one.
#[derive(Debug, Clone)]
pub struct VerifiedJwtSvid {
    svid: JwtSvid,
    authority: JwtAuthority,
    verified_at: SystemTime,
}

impl VerifiedJwtSvid {
    /// Whom it names.
    pub fn id(&self) -> &SpiffeId {
        &self.svid.id
    }

    /// All its claims.
    pub fn claims_json(&self) -> &Map<String, Value> {
        &self.svid.claims
    }

    /// When it stops holding.
    pub fn expires_at(&self) -> SystemTime {
        self.svid.expires_at
    }

    /// The authority of the bundle that signed it, which may be tainted.
    pub fn authority(&self) -> &JwtAuthority {
        &self.authority
    }

    /// The moment at which it was found to hold.
    pub fn verified_at(&self) -> SystemTime {
        self.verified_at
    }

    /// The token itself.
    pub fn token(&self) -> &str {
        self.svid.token()
    }
}

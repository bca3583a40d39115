//! JWT-SVIDs: signing and verifying (JWT-SVID.md).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::bundle::{Bundle, BundleSource};
use crate::key::{PublicKey, SigAlg, SignError, Signer};
use crate::{IdError, SpiffeId, TrustDomain, json};

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN: usize = 64 * 1024;
/// How far the clocks of issuer and verifier may be apart when `nbf` is judged; expiry is judged without.
const LEEWAY: Duration = Duration::from_secs(60);
/// How many keys are tried on a token that does not say which one signed it.
const MAX_TRIES: usize = 32;

/// Why a JWT-SVID is refused or was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum JwtError {
    #[error("the token is {0} bytes long; at most 65,536 are accepted")]
    TooLarge(usize),
    #[error("the token is not a JWT of three parts in compact form: {0}")]
    Malformed(&'static str),
    #[error("the algorithm {0} is not one of RS256, RS384, RS512, ES256, ES384, ES512, PS256, PS384, PS512")]
    Algorithm(String),
    #[error("the type header is {0}; expected JWT or JOSE (JWT-SVID §2.3)")]
    Type(String),
    #[error("the header names critical extension {0}, which is not understood")]
    Critical(String),
    #[error("the token needs a key id, by which verifiers find the key")]
    NoKeyId,
    #[error("the token has no subject")]
    NoSubject,
    #[error("the token's subject is no SPIFFE ID: {0}")]
    Subject(IdError),
    #[error("the token has no audience")]
    NoAudience,
    #[error("expected audience in {expected:?} (audience={got:?})")]
    Audience { expected: Vec<String>, got: Vec<String> },
    #[error("the token has no expiry")]
    NoExpiry,
    #[error("\"{0}\" of the token is not a moment")]
    Moment(&'static str),
    #[error("token has expired")]
    Expired,
    #[error("token is not valid yet: is the clock right?")]
    NotYet,
    #[error("no bundle found for trust domain \"{0}\"")]
    NoBundle(TrustDomain),
    #[error("no JWT authority \"{key_id}\" found for trust domain \"{trust_domain}\"")]
    NoAuthority { key_id: String, trust_domain: TrustDomain },
    #[error("the token's signature does not hold")]
    Signature,
    #[error("the authority did not sign")]
    Sign(#[source] SignError),
}

const ALGORITHMS: [(&str, SigAlg); 9] = [
    ("RS256", SigAlg::RsaPkcs1Sha256),
    ("RS384", SigAlg::RsaPkcs1Sha384),
    ("RS512", SigAlg::RsaPkcs1Sha512),
    ("ES256", SigAlg::EcdsaP256Sha256),
    ("ES384", SigAlg::EcdsaP384Sha384),
    ("ES512", SigAlg::EcdsaP521Sha512),
    ("PS256", SigAlg::RsaPssSha256),
    ("PS384", SigAlg::RsaPssSha384),
    ("PS512", SigAlg::RsaPssSha512),
];

/// What a JWT-SVID says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtSvidClaims {
    /// Whom it names: `sub`.
    pub subject: SpiffeId,
    /// Whom it is for: `aud`, at least one.
    pub audience: Vec<String>,
    /// When it was made: `iat`.
    pub issued_at: SystemTime,
    /// When it stops holding: `exp`.
    pub expires_at: SystemTime,
    /// Who made it, if the issuer says so: `iss`.
    pub issuer: Option<String>,
    /// A name of its own, if it is to have one: `jti`.
    pub jti: Option<String>,
}

/// Signs a JWT-SVID with the authority `key_id`, by its key's usual algorithm: ES256, ES384, ES512 or RS256.
pub fn sign(claims: &JwtSvidClaims, key_id: &str, signer: &dyn Signer) -> Result<String, JwtError> {
    sign_with(SigAlg::for_x509(signer.public()), claims, key_id, signer)
}

/// As [`sign`], by another algorithm that the key can do, such as PS256.
pub fn sign_with(
    alg: SigAlg,
    claims: &JwtSvidClaims,
    key_id: &str,
    signer: &dyn Signer,
) -> Result<String, JwtError> {
    if key_id.is_empty() {
        return Err(JwtError::NoKeyId);
    }
    if claims.audience.is_empty() || claims.audience.iter().any(String::is_empty) {
        return Err(JwtError::NoAudience);
    }
    let name = ALGORITHMS.iter().find(|(_, known)| *known == alg).map_or("ES256", |(name, _)| name);
    let header = json!({ "alg": name, "kid": key_id, "typ": "JWT" });
    let mut body = Map::new();
    body.insert("aud".into(), json!(claims.audience));
    body.insert("exp".into(), json!(seconds(claims.expires_at, "exp")?));
    body.insert("iat".into(), json!(seconds(claims.issued_at, "iat")?));
    if let Some(issuer) = &claims.issuer {
        body.insert("iss".into(), json!(issuer));
    }
    if let Some(jti) = &claims.jti {
        body.insert("jti".into(), json!(jti));
    }
    body.insert("sub".into(), json!(claims.subject.as_str()));
    let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(Value::Object(body).to_string()));
    let signature = signer.sign(alg, token.as_bytes()).map_err(JwtError::Sign)?;
    let signature = match signer.public().curve() {
        Some(_) => fixed(&signature, coordinate(signer.public())).ok_or(JwtError::Signature)?,
        None => signature,
    };
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature));
    Ok(token)
}

fn seconds(at: SystemTime, name: &'static str) -> Result<u64, JwtError> {
    at.duration_since(UNIX_EPOCH).map(|since| since.as_secs()).map_err(|_| JwtError::Moment(name))
}

fn coordinate(key: &PublicKey) -> usize {
    match key.curve() {
        Some("P-384") => 48,
        Some("P-521") => 66,
        _ => 32,
    }
}

/// An ECDSA signature in ASN.1 as the two numbers side by side (RFC 7518 §3.4).
fn fixed(asn1: &[u8], size: usize) -> Option<Vec<u8>> {
    #[derive(der::Sequence)]
    struct Signature {
        r: der::asn1::Uint,
        s: der::asn1::Uint,
    }
    let signature = <Signature as der::Decode>::from_der(asn1).ok()?;
    let mut out = vec![0; size * 2];
    for (number, place) in [(&signature.r, 1), (&signature.s, 2)] {
        let bytes = number.as_bytes();
        let start = (place * size).checked_sub(bytes.len())?;
        out.get_mut(start..place * size)?.copy_from_slice(bytes);
    }
    Some(out)
}

/// A JWT-SVID, parsed and well formed; its signature and times are not judged.
#[derive(Debug, Clone)]
pub struct JwtSvid {
    token: String,
    signed: usize,
    signature: Vec<u8>,
    alg: SigAlg,
    key_id: Option<String>,
    id: SpiffeId,
    audience: Vec<String>,
    expires_at: SystemTime,
    not_before: Option<SystemTime>,
    claims: Map<String, Value>,
}

impl JwtSvid {
    /// Parses a token without believing it.
    pub fn parse_unverified(token: &str) -> Result<Self, JwtError> {
        if token.len() > MAX_TOKEN {
            return Err(JwtError::TooLarge(token.len()));
        }
        let mut parts = token.split('.');
        let (Some(header), Some(body), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JwtError::Malformed("it has not three parts"));
        };
        let header = object(header, "its header is not JSON in base64url with distinct names")?;
        // Before anything else is looked at (JWT-SVID §4).
        let alg = text(&header, "alg").unwrap_or_default();
        let (_, alg) = ALGORITHMS
            .into_iter()
            .find(|(name, _)| *name == alg)
            .ok_or_else(|| JwtError::Algorithm(alg.to_owned()))?;
        let claims = object(body, "its claims are not JSON in base64url with distinct names")?;
        let decoded = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| JwtError::Malformed("its signature is not base64url"))?;
        match header.get("typ") {
            None => {}
            Some(Value::String(typ)) if typ == "JWT" || typ == "JOSE" => {}
            Some(other) => return Err(JwtError::Type(other.to_string())),
        }
        if let Some(critical) = header.get("crit") {
            return Err(JwtError::Critical(critical.to_string()));
        }
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) if !kid.is_empty() => Some(kid.clone()),
            Some(_) => return Err(JwtError::Malformed("its key id is no text, or empty")),
        };
        let subject = text(&claims, "sub").ok_or(JwtError::NoSubject)?;
        let id = SpiffeId::parse(subject).map_err(JwtError::Subject)?;
        let audience = match claims.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(all)) => {
                let all: Option<Vec<String>> = all.iter().map(|v| v.as_str().map(str::to_owned)).collect();
                all.ok_or(JwtError::NoAudience)?
            }
            _ => return Err(JwtError::NoAudience),
        };
        if audience.is_empty() {
            return Err(JwtError::NoAudience);
        }
        let expires_at = moment(&claims, "exp")?.ok_or(JwtError::NoExpiry)?;
        let not_before = moment(&claims, "nbf")?;
        moment(&claims, "iat")?;
        Ok(Self {
            token: token.to_owned(),
            signed: token.len() - signature.len() - 1,
            signature: decoded,
            alg,
            key_id,
            id,
            audience,
            expires_at,
            not_before,
            claims,
        })
    }

    /// Verifies a token at `now` for one of the audiences, against the bundle of its own trust domain (JWT-SVID §4, §5).
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
        svid.check_signature(bundle)?;
        Ok(VerifiedJwtSvid(svid))
    }

    /// The key id is optional (JWT-SVID §2.2): without one, each key that fits the algorithm is tried, up to a bound.
    fn check_signature(&self, bundle: &Bundle) -> Result<(), JwtError> {
        let signed = self.token.as_bytes().get(..self.signed).unwrap_or_default();
        let holds = |key: &PublicKey| key.verify_jws(self.alg, signed, &self.signature).is_ok();
        let held = match &self.key_id {
            Some(key_id) => {
                let authority = bundle.jwt_authority(key_id).ok_or_else(|| JwtError::NoAuthority {
                    key_id: key_id.clone(),
                    trust_domain: bundle.trust_domain().clone(),
                })?;
                holds(&authority.public_key)
            }
            None => {
                let keys = bundle.jwt_authorities().iter().map(|authority| &authority.public_key);
                keys.filter(|key| key.supports(self.alg)).take(MAX_TRIES).any(holds)
            }
        };
        held.then_some(()).ok_or(JwtError::Signature)
    }

    /// Whom it names.
    pub fn id(&self) -> &SpiffeId {
        &self.id
    }

    /// Whom it is for.
    pub fn audience(&self) -> &[String] {
        &self.audience
    }

    /// The authority that is said to have signed it, if it says so.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// When it stops holding.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// When it was made, if it says so.
    pub fn issued_at(&self) -> Option<SystemTime> {
        moment(&self.claims, "iat").ok().flatten()
    }

    /// All its claims.
    pub fn claims_json(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The token itself.
    pub fn token(&self) -> &str {
        &self.token
    }
}

/// A JWT-SVID that was verified; nothing else builds one.
#[derive(Debug, Clone)]
pub struct VerifiedJwtSvid(JwtSvid);

impl VerifiedJwtSvid {
    /// Whom it names.
    pub fn id(&self) -> &SpiffeId {
        &self.0.id
    }

    /// All its claims.
    pub fn claims_json(&self) -> &Map<String, Value> {
        &self.0.claims
    }

    /// When it stops holding.
    pub fn expires_at(&self) -> SystemTime {
        self.0.expires_at
    }

    /// The token itself.
    pub fn token(&self) -> &str {
        &self.0.token
    }
}

fn object(part: &str, why: &'static str) -> Result<Map<String, Value>, JwtError> {
    let decoded = URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Malformed(why))?;
    json::object(&decoded).map_err(|_| JwtError::Malformed(why))
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// A NumericDate (RFC 7519 §2), which may have a fraction.
fn moment(claims: &Map<String, Value>, name: &'static str) -> Result<Option<SystemTime>, JwtError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds =
        value.as_f64().filter(|s| (0.0..=253_402_300_799.0).contains(s)).ok_or(JwtError::Moment(name))?;
    Ok(Some(UNIX_EPOCH + Duration::from_secs_f64(seconds)))
}

#[cfg(test)]
mod tests;

//! What a JWT-SVID says, and signing it.

use std::time::SystemTime;

use serde::Serialize;

use super::JwtError;
use crate::SpiffeId;
use crate::jws::{self, Header};
use crate::key::{SigAlg, Signer};

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

#[derive(Serialize)]
struct Written<'a> {
    aud: &'a [String],
    exp: u64,
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<&'a str>,
    sub: &'a str,
}

/// Signs a JWT-SVID with the authority `key_id`, by its key's usual algorithm: ES256, ES384, ES512 or RS256.
///
/// # Errors
///
/// See [`sign_with`].
pub fn sign(claims: &JwtSvidClaims, key_id: &str, signer: &dyn Signer) -> Result<String, JwtError> {
    sign_with(SigAlg::for_x509(signer.public()), claims, key_id, signer)
}

/// As [`sign`], by another algorithm that the key can do, such as PS256.
///
/// # Errors
///
/// Without a key id, without an audience or with an empty one (JWT-SVID §3.2), with a moment before 1970, or if the key
/// does not sign, as when the algorithm is not one of its own.
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
    let written = Written {
        aud: &claims.audience,
        exp: jws::seconds(claims.expires_at, "exp").map_err(JwtError::Moment)?,
        iat: jws::seconds(claims.issued_at, "iat").map_err(JwtError::Moment)?,
        iss: claims.issuer.as_deref(),
        jti: claims.jti.as_deref(),
        sub: claims.subject.as_str(),
    };
    Ok(jws::compact(alg, &Header::new(alg, Some(key_id), "JWT"), &written, signer)?)
}

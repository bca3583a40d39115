//! `issue-jwt-svid`: an authority is asked for a JWT-SVID.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spiffe::SpiffeId;
use spiffe::bundle::{Bundle, JwtAuthority};
use spiffe::jws::Jws;
use spiffe::jwt::{JwtSvid, JwtSvidClaims, sign, sign_with};
use spiffe::key::{PrivateKey, SigAlg, Signer};

use super::Outcome;
use super::input::{Bytes, moment};
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "issue-jwt-svid";

/// What is asked for, and who signs it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// The authority's key, PKCS#8.
    pub key: Bytes,
    /// Its key id.
    pub kid: String,
    /// The algorithm; the key's usual one if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// Whom the token names.
    pub subject: String,
    /// Whom it is for.
    pub audience: Vec<String>,
    /// In seconds since 1970.
    pub issued_at: i64,
    /// In seconds since 1970.
    pub expires_at: i64,
    /// `iss`, if there is to be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// `jti`, if there is to be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
}

impl From<Members> for Input {
    fn from(members: Members) -> Self {
        Self { kind: KIND, members: json!(members) }
    }
}

/// The header and the claims of a token.
pub(super) fn written(token: &str) -> Outcome {
    let jws = Jws::parse_unverified(token).map_err(|e| e.to_string())?;
    let claims = jws.claims().map_err(|e| e.to_string())?;
    Ok(json!({ "header": jws.header(), "claims": Value::Object(claims) }))
}

/// The outcome is what the token says; it must verify too.
pub(super) fn judge(members: Members) -> Outcome {
    let key = PrivateKey::from_pkcs8(&members.key.0).map_err(|e| e.to_string())?;
    let claims = JwtSvidClaims {
        subject: SpiffeId::parse(&members.subject).map_err(|e| e.to_string())?,
        audience: members.audience.clone(),
        issued_at: moment(members.issued_at),
        expires_at: moment(members.expires_at),
        issuer: members.issuer,
        jti: members.jti,
    };
    let token = match &members.alg {
        None => sign(&claims, &members.kid, &key),
        Some(alg) => {
            let alg = SigAlg::from_jws(alg).ok_or_else(|| format!("{alg} is not known"))?;
            sign_with(alg, &claims, &members.kid, &key)
        }
    }
    .map_err(|e| e.to_string())?;
    let mut bundle = Bundle::new(claims.subject.trust_domain());
    let public_key = key.public().clone();
    bundle
        .push_jwt(JwtAuthority { key_id: members.kid, public_key, expires_at: None, tainted: false })
        .map_err(|e| e.to_string())?;
    let audience: Vec<&str> = members.audience.iter().map(String::as_str).collect();
    JwtSvid::verify(&token, &bundle, &audience, claims.issued_at).map_err(|e| e.to_string())?;
    written(&token)
}

//! The SPIFFE bundle document and the plain JWKS (RFC 7517).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Bundle, BundleError, JwtAuthority, X509Authority};
use crate::TrustDomain;
use crate::jwk::{self, JwkError};
use crate::x509::{Certificate, CertificateError};

/// The longest document, in bytes.
const MAX_DOCUMENT: usize = 16 << 20;

/// Why a bundle document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum DocumentError {
    #[error("the bundle document is {0} bytes long; at most 16 MiB are accepted")]
    TooLarge(usize),
    #[error("the bundle document is not JSON: {0}")]
    Json(String),
    #[error("the bundle document has no list \"keys\" (Trust Domain and Bundle §4.1)")]
    NoKeys,
    #[error("\"{0}\" of the bundle document is not a whole number that is not negative")]
    Number(&'static str),
    #[error("key {index} of the bundle document: {cause}")]
    Jwk { index: usize, cause: JwkError },
    #[error(
        "key {index} of the bundle document has {found} certificates in x5c; use x509-svid wants exactly one"
    )]
    X5c { index: usize, found: usize },
    #[error("the certificate of key {index} of the bundle document cannot be read")]
    Certificate {
        index: usize,
        #[source]
        cause: CertificateError,
    },
    #[error("the certificate of key {index} of the bundle document is not base64")]
    Base64 { index: usize },
    #[error("key {index} of the bundle document, of use jwt-svid, has no kid")]
    NoKid { index: usize },
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl Bundle {
    /// The SPIFFE bundle document, keys with their `use` (Trust Domain and Bundle §4).
    pub fn to_spiffe_json(&self) -> String {
        let mut keys = Vec::new();
        for authority in self.x509_authorities() {
            let mut key = jwk::to_jwk(authority.certificate.public_key());
            key.insert("use".into(), json!("x509-svid"));
            key.insert("x5c".into(), json!([STANDARD.encode(authority.certificate.der())]));
            keys.push(Value::Object(key));
        }
        for authority in self.jwt_authorities() {
            let mut key = jwk::to_jwk(&authority.public_key);
            key.insert("use".into(), json!("jwt-svid"));
            key.insert("kid".into(), json!(authority.key_id));
            keys.push(Value::Object(key));
        }
        let mut document = Map::new();
        document.insert("keys".into(), Value::Array(keys));
        if self.sequence > 0 {
            document.insert("spiffe_sequence".into(), json!(self.sequence));
        }
        if let Some(hint) = self.refresh_hint {
            document.insert("spiffe_refresh_hint".into(), json!(hint.as_secs()));
        }
        Value::Object(document).to_string()
    }

    /// The JWT authorities as a plain JWKS, without `use`: what the Workload API's JWT bundles hold (SPIRE 1.16).
    pub fn to_jwks_json(&self) -> String {
        let keys: Vec<Value> = self
            .jwt_authorities()
            .iter()
            .map(|authority| {
                let mut key = jwk::to_jwk(&authority.public_key);
                key.insert("kid".into(), json!(authority.key_id));
                Value::Object(key)
            })
            .collect();
        json!({ "keys": keys }).to_string()
    }

    /// Reads a SPIFFE bundle document. Keys of an unknown type or use are passed over, as the standard asks.
    pub fn parse_spiffe_json(trust_domain: TrustDomain, text: &str) -> Result<Self, DocumentError> {
        let document = object(text)?;
        let mut bundle = Self::new(trust_domain);
        bundle.sequence = number(&document, "spiffe_sequence")?.unwrap_or(0);
        bundle.refresh_hint = number(&document, "spiffe_refresh_hint")?.map(Duration::from_secs);
        for (index, key) in keys(&document)?.iter().enumerate() {
            match key.get("use").and_then(Value::as_str) {
                Some("x509-svid") => {
                    let certificate = x5c(index, key)?;
                    bundle.push_x509(X509Authority { certificate, tainted: false })?;
                }
                Some("jwt-svid") => bundle.take_jwt(index, key)?,
                _ => {}
            }
        }
        Ok(bundle)
    }

    /// Reads a plain JWKS: every key of a known type signs JWT-SVIDs.
    pub fn parse_jwks_json(trust_domain: TrustDomain, text: &str) -> Result<Self, DocumentError> {
        let document = object(text)?;
        let mut bundle = Self::new(trust_domain);
        for (index, key) in keys(&document)?.iter().enumerate() {
            bundle.take_jwt(index, key)?;
        }
        Ok(bundle)
    }

    fn take_jwt(&mut self, index: usize, key: &Value) -> Result<(), DocumentError> {
        let public_key = match jwk::from_jwk(key) {
            Ok(key) => key,
            Err(JwkError::UnknownType(_)) => return Ok(()),
            Err(cause) => return Err(DocumentError::Jwk { index, cause }),
        };
        let key_id = key.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty());
        let key_id = key_id.ok_or(DocumentError::NoKid { index })?.to_owned();
        self.push_jwt(JwtAuthority { key_id, public_key, expires_at: None, tainted: false })?;
        Ok(())
    }
}

fn object(text: &str) -> Result<Map<String, Value>, DocumentError> {
    if text.len() > MAX_DOCUMENT {
        return Err(DocumentError::TooLarge(text.len()));
    }
    serde_json::from_str(text).map_err(|e| DocumentError::Json(e.to_string()))
}

fn keys(document: &Map<String, Value>) -> Result<&Vec<Value>, DocumentError> {
    document.get("keys").and_then(Value::as_array).ok_or(DocumentError::NoKeys)
}

fn number(document: &Map<String, Value>, name: &'static str) -> Result<Option<u64>, DocumentError> {
    match document.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or(DocumentError::Number(name)),
    }
}

fn x5c(index: usize, key: &Value) -> Result<Certificate, DocumentError> {
    let all = key.get("x5c").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let [one] = all else { return Err(DocumentError::X5c { index, found: all.len() }) };
    let text = one.as_str().ok_or(DocumentError::Base64 { index })?;
    let der = STANDARD.decode(text).map_err(|_| DocumentError::Base64 { index })?;
    Certificate::parse(der).map_err(|cause| DocumentError::Certificate { index, cause })
}

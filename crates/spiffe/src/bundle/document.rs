//! The SPIFFE bundle document and the plain JWKS (RFC 7517).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Bundle, BundleError, JwtAuthority, WitAuthority, X509Authority};
use crate::jwk;
use crate::key::PublicKey;
use crate::x509::{Certificate, CertificateError};
use crate::{TrustDomain, json};

/// The longest document, in bytes.
const MAX_DOCUMENT: usize = 16 << 20;
/// The longest refresh hint that is believed: a longer one would stall whoever follows it.
const MAX_HINT: u64 = 365 * 24 * 3600;

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
    #[error("\"{0}\" of the bundle document is not a whole number in its range")]
    Number(&'static str),
    #[error("the certificate of key {index} of the bundle document cannot be read")]
    Certificate {
        index: usize,
        #[source]
        cause: CertificateError,
    },
    #[error("the certificate of key {index} of the bundle document is not base64")]
    Base64 { index: usize },
    #[error("key {index} of the bundle document is not the key of its certificate")]
    OtherKey { index: usize },
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl Bundle {
    /// The SPIFFE bundle document, keys with their `use` (Trust Domain and Bundle §4), without those of WIT-SVIDs: a
    /// SPIRE that does not know their use yet refuses the whole document.
    pub fn to_spiffe_json(&self) -> String {
        self.document(&[])
    }

    /// The SPIFFE bundle document with the keys of WIT-SVIDs in it (WIT-SVID §6.1): for readers that pass over a use
    /// that they do not know, as Trust Domain and Bundle §4.2.2 wants it.
    pub fn to_spiffe_json_with_wit(&self) -> String {
        self.document(&self.wit)
    }

    fn document(&self, wit: &[WitAuthority]) -> String {
        let mut keys = Vec::new();
        for authority in self.x509_authorities() {
            let mut key = member("use", "x509-svid");
            key.extend(jwk::to_jwk(authority.certificate.public_key()));
            key.insert("x5c".into(), json!([STANDARD.encode(authority.certificate.der())]));
            keys.push(Value::Object(key));
        }
        for authority in self.jwt_authorities() {
            keys.push(signing_key("jwt-svid", &authority.key_id, &authority.public_key));
        }
        keys.extend(wit.iter().map(|a| signing_key("wit-svid", &a.key_id, &a.public_key)));
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
                let mut key = member("kid", &authority.key_id);
                key.extend(jwk::to_jwk(&authority.public_key));
                Value::Object(key)
            })
            .collect();
        json!({ "keys": keys }).to_string()
    }

    /// The WIT authorities as a JWKS, each with `use` and `kid`: what the Workload API's WIT bundles hold (Workload API
    /// §7.2.2, WIT-SVID §6.1).
    pub fn to_wit_jwks_json(&self) -> String {
        let keys: Vec<Value> =
            self.wit.iter().map(|a| signing_key("wit-svid", &a.key_id, &a.public_key)).collect();
        json!({ "keys": keys }).to_string()
    }

    /// Reads a SPIFFE bundle document. A key that is of an unknown type, curve or use, private, or not whole is passed
    /// over and the rest taken (Trust Domain and Bundle §4.1.3, §4.2); a certificate that cannot be read is not.
    pub fn parse_spiffe_json(trust_domain: TrustDomain, text: &str) -> Result<Self, DocumentError> {
        let document = object(text)?;
        let mut bundle = Self::new(trust_domain);
        bundle.sequence = whole(&document, "spiffe_sequence", Value::as_u64)?.unwrap_or(0);
        bundle.refresh_hint = hint(&document)?;
        for (index, key) in keys(&document)?.iter().enumerate() {
            match key.get("use").and_then(Value::as_str) {
                Some("x509-svid") => bundle.take_x509(index, key)?,
                Some("jwt-svid") => bundle.take_jwt(key)?,
                Some("wit-svid") => bundle.take_wit(key)?,
                _ => {}
            }
        }
        Ok(bundle)
    }

    /// Reads a plain JWKS: every key that can be used signs JWT-SVIDs, unless it says that it is for another use.
    pub fn parse_jwks_json(trust_domain: TrustDomain, text: &str) -> Result<Self, DocumentError> {
        let document = object(text)?;
        let mut bundle = Self::new(trust_domain);
        for key in keys(&document)? {
            // SPIRE leaves `use` away; a key that is there for WIT-SVIDs is not one for JWT-SVIDs (JWT-SVID §6.2).
            if key.get("use").is_none_or(|what| what == "jwt-svid") {
                bundle.take_jwt(key)?;
            }
        }
        Ok(bundle)
    }

    /// Reads the WIT authorities of a JWKS of the Workload API (§7.2.2): every key that can be used, unless it says that
    /// it is for another use.
    pub fn parse_wit_jwks_json(trust_domain: TrustDomain, text: &str) -> Result<Self, DocumentError> {
        let document = object(text)?;
        let mut bundle = Self::new(trust_domain);
        for key in keys(&document)? {
            if key.get("use").is_none_or(|what| what == "wit-svid") {
                bundle.take_wit(key)?;
            }
        }
        Ok(bundle)
    }

    fn take_x509(&mut self, index: usize, key: &Value) -> Result<(), DocumentError> {
        // The first alone counts, and none means that the entry is to be passed over (X509-SVID §6.2).
        let first = key.get("x5c").and_then(Value::as_array).and_then(|all| all.first());
        let (Some(first), Ok(public_key)) = (first, jwk::from_jwk(key)) else { return Ok(()) };
        let text = first.as_str().ok_or(DocumentError::Base64 { index })?;
        let der = STANDARD.decode(text).map_err(|_| DocumentError::Base64 { index })?;
        let certificate =
            Certificate::parse(der).map_err(|cause| DocumentError::Certificate { index, cause })?;
        if *certificate.public_key() != public_key {
            return Err(DocumentError::OtherKey { index });
        }
        self.push_x509(X509Authority { certificate, tainted: false })?;
        Ok(())
    }

    fn take_jwt(&mut self, key: &Value) -> Result<(), DocumentError> {
        let Some((key_id, public_key)) = named_key(key) else { return Ok(()) };
        let authority = JwtAuthority { key_id, public_key, expires_at: None, tainted: false };
        passing_over(self.push_jwt(authority))
    }

    fn take_wit(&mut self, key: &Value) -> Result<(), DocumentError> {
        let Some((key_id, public_key)) = named_key(key) else { return Ok(()) };
        let authority = WitAuthority { key_id, public_key, expires_at: None, tainted: false };
        passing_over(self.push_wit(authority))
    }
}

/// A key and its name, if it has both.
fn named_key(key: &Value) -> Option<(String, PublicKey)> {
    let key_id = key.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty())?;
    Some((key_id.to_owned(), jwk::from_jwk(key).ok()?))
}

/// Of two keys of different uses with one name, the first has it.
fn passing_over(pushed: Result<bool, BundleError>) -> Result<(), DocumentError> {
    match pushed {
        Ok(_) | Err(BundleError::OtherUse { .. }) => Ok(()),
        Err(why) => Err(why.into()),
    }
}

fn signing_key(what: &str, key_id: &str, public_key: &PublicKey) -> Value {
    let mut key = member("use", what);
    key.insert("kid".into(), json!(key_id));
    key.extend(jwk::to_jwk(public_key));
    Value::Object(key)
}

fn member(name: &str, value: &str) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), json!(value))])
}

fn object(text: &str) -> Result<Map<String, Value>, DocumentError> {
    if text.len() > MAX_DOCUMENT {
        return Err(DocumentError::TooLarge(text.len()));
    }
    json::object(text.as_bytes()).map_err(|e| DocumentError::Json(e.to_string()))
}

fn keys(document: &Map<String, Value>) -> Result<&Vec<Value>, DocumentError> {
    document.get("keys").and_then(Value::as_array).ok_or(DocumentError::NoKeys)
}

fn whole<N>(
    document: &Map<String, Value>,
    name: &'static str,
    read: impl Fn(&Value) -> Option<N>,
) -> Result<Option<N>, DocumentError> {
    match document.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => read(value).map(Some).ok_or(DocumentError::Number(name)),
    }
}

/// The refresh hint: a number of seconds that is not positive says nothing, and no more than a year is believed.
fn hint(document: &Map<String, Value>) -> Result<Option<Duration>, DocumentError> {
    let seconds = whole(document, "spiffe_refresh_hint", Value::as_i64)?;
    let positive = seconds.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
    Ok(positive.map(|seconds| Duration::from_secs(seconds.min(MAX_HINT))))
}

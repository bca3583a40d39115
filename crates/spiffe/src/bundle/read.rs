//! Reading the SPIFFE bundle document and the plain JWKS (RFC 7517), tolerantly: what cannot be used is passed over alone.

use std::cell::Cell;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeSeed;
use serde_json::{Map, Value};

use super::element::{Document, Element, MAX_KEYS, Number, OfDocument};
use super::passed_over::{KeyProblem, PassedOver, ReadBundle};
use super::{Bundle, BundleError, JwtAuthority, WitAuthority, X509Authority};
use crate::TrustDomain;
use crate::jwk;
use crate::key::PublicKey;
use crate::x509::Certificate;

/// The longest document, in bytes.
pub(super) const MAX_DOCUMENT: usize = 16 << 20;
/// The longest refresh hint that is believed: a longer one would stall whoever follows it.
pub const MAX_REFRESH_HINT: Duration = Duration::from_secs(365 * 24 * 3600);
/// How much of a text of the publisher's is repeated.
const SHOWN: usize = 64;

/// Why a bundle document is refused as a whole.
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
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// What the keys of a document are for, where they do not say so themselves.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Keys {
    /// Each says what it is for (Trust Domain and Bundle §4.2.2).
    Labelled,
    /// All sign JWT-SVIDs but those that say otherwise.
    Jwt,
    /// All sign WIT-SVIDs but those that say otherwise.
    Wit,
}

impl Bundle {
    /// Reads a SPIFFE bundle document (Trust Domain and Bundle §4). A key that cannot be used (of an unknown type, curve or
    /// use, private, without what its use needs) is passed over alone; [`Bundle::read_spiffe_json`] says which are.
    ///
    /// An empty list is an empty bundle, with which every SVID of the trust domain is invalid (§4.1.3).
    ///
    /// # Errors
    ///
    /// What is not a JSON object, has a member twice, has no list `keys`, or a sequence number or refresh hint that is not
    /// a whole number. A hint that is not positive says nothing; one of more than a year is taken for a year.
    pub fn parse_spiffe_json(trust_domain: TrustDomain, text: &str) -> Result<Self, DocumentError> {
        Self::read_spiffe_json(trust_domain, text).map(|read| read.bundle)
    }

    /// As [`Bundle::parse_spiffe_json`], and says what was passed over.
    pub fn read_spiffe_json(trust_domain: TrustDomain, text: &str) -> Result<ReadBundle, DocumentError> {
        bundle_of(trust_domain, document(text)?, Keys::Labelled)
    }

    /// Reads the JWT authorities of a plain JWKS, as the Workload API has it (§6.2.2): every key that can be used, unless
    /// it says that it is for another use. SPIRE leaves `use` away there.
    pub fn parse_jwks_json(trust_domain: TrustDomain, text: &str) -> Result<Self, DocumentError> {
        Self::read_jwks_json(trust_domain, text).map(|read| read.bundle)
    }

    /// As [`Bundle::parse_jwks_json`], and says what was passed over.
    pub fn read_jwks_json(trust_domain: TrustDomain, text: &str) -> Result<ReadBundle, DocumentError> {
        bundle_of(trust_domain, document(text)?, Keys::Jwt)
    }

    /// Reads the WIT authorities of a JWKS of the Workload API (§7.2.2): every key that can be used, unless it says that
    /// it is for another use.
    pub fn parse_wit_jwks_json(trust_domain: TrustDomain, text: &str) -> Result<Self, DocumentError> {
        Self::read_wit_jwks_json(trust_domain, text).map(|read| read.bundle)
    }

    /// As [`Bundle::parse_wit_jwks_json`], and says what was passed over.
    pub fn read_wit_jwks_json(trust_domain: TrustDomain, text: &str) -> Result<ReadBundle, DocumentError> {
        bundle_of(trust_domain, document(text)?, Keys::Wit)
    }
}

fn document(text: &str) -> Result<Document, DocumentError> {
    if text.len() > MAX_DOCUMENT {
        return Err(DocumentError::TooLarge(text.len()));
    }
    let left = Cell::new(MAX_KEYS);
    let json = |e: serde_json::Error| DocumentError::Json(e.to_string());
    let mut reader = serde_json::Deserializer::from_str(text);
    let document = OfDocument(&left).deserialize(&mut reader).map_err(json)?;
    reader.end().map_err(json)?;
    Ok(document)
}

/// The bundle that a document is of. Hint and sequence number are taken where keys say what they are for.
pub(super) fn bundle_of(
    trust_domain: TrustDomain,
    document: Document,
    keys: Keys,
) -> Result<ReadBundle, DocumentError> {
    let mut bundle = Bundle::new(trust_domain);
    if keys == Keys::Labelled {
        bundle.sequence = sequence(document.sequence)?;
        bundle.refresh_hint = hint(document.hint)?;
    }
    let mut passed_over = Vec::new();
    for (index, element) in document.keys.ok_or(DocumentError::NoKeys)?.into_iter().enumerate() {
        let key_id = key_id(&element);
        match bundle.take(element, keys) {
            Ok(()) => {}
            Err(KeyProblem::Authority(BundleError::TooMany)) => return Err(BundleError::TooMany.into()),
            Err(why) => passed_over.push(PassedOver { index, key_id, why }),
        }
    }
    Ok(ReadBundle { bundle, passed_over })
}

impl Bundle {
    fn take(&mut self, element: Element, keys: Keys) -> Result<(), KeyProblem> {
        let jwk = match element {
            Element::Jwk(jwk) => Value::Object(jwk),
            Element::Twice(name) => return Err(KeyProblem::Twice(name)),
            Element::Other => return Err(KeyProblem::NotAnObject),
        };
        match (jwk.get("use"), jwk.get("use").and_then(Value::as_str), keys) {
            (None, _, Keys::Labelled) => Err(KeyProblem::NoUse),
            (_, Some("x509-svid"), Keys::Labelled) => self.take_x509(&jwk),
            (_, Some("jwt-svid"), Keys::Labelled | Keys::Jwt) | (None, _, Keys::Jwt) => self.take_jwt(&jwk),
            (_, Some("wit-svid"), Keys::Labelled | Keys::Wit) | (None, _, Keys::Wit) => self.take_wit(&jwk),
            (_, what, Keys::Labelled) => Err(KeyProblem::UnknownUse(shown(what.unwrap_or_default()))),
            (_, what, _) => Err(KeyProblem::OtherUse(shown(what.unwrap_or_default()))),
        }
    }

    /// The first certificate alone counts; without one the entry is passed over (X509-SVID §6.2). The parameters are its
    /// key's (RFC 7517 §4.7).
    fn take_x509(&mut self, jwk: &Value) -> Result<(), KeyProblem> {
        let first = jwk.get("x5c").and_then(Value::as_array).and_then(|all| all.first());
        let first = first.ok_or(KeyProblem::NoCertificate)?;
        let public_key = jwk::from_jwk(jwk).map_err(KeyProblem::Jwk)?;
        let text = first.as_str().ok_or(KeyProblem::Base64)?;
        let der = STANDARD.decode(text).map_err(|_| KeyProblem::Base64)?;
        let certificate = Certificate::parse(der).map_err(KeyProblem::Certificate)?;
        if *certificate.public_key() != public_key {
            return Err(KeyProblem::OtherKey);
        }
        self.push_x509(X509Authority { certificate, tainted: false })
            .map(|_| ())
            .map_err(KeyProblem::Authority)
    }

    fn take_jwt(&mut self, jwk: &Value) -> Result<(), KeyProblem> {
        let (key_id, public_key) = named_key(jwk)?;
        if self.jwt_authority(&key_id).is_some() {
            return Err(KeyProblem::KeyIdTaken);
        }
        taken(self.push_jwt(JwtAuthority { key_id, public_key, expires_at: None, tainted: false }))
    }

    fn take_wit(&mut self, jwk: &Value) -> Result<(), KeyProblem> {
        let (key_id, public_key) = named_key(jwk)?;
        if self.wit_authority(&key_id).is_some() {
            return Err(KeyProblem::KeyIdTaken);
        }
        taken(self.push_wit(WitAuthority { key_id, public_key, expires_at: None, tainted: false }))
    }
}

fn taken(pushed: Result<bool, BundleError>) -> Result<(), KeyProblem> {
    match pushed {
        Ok(_) => Ok(()),
        Err(BundleError::OtherUse { .. }) => Err(KeyProblem::KeyIdTaken),
        Err(why) => Err(KeyProblem::Authority(why)),
    }
}

/// A key and its name.
fn named_key(jwk: &Value) -> Result<(String, PublicKey), KeyProblem> {
    let key_id = jwk.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty());
    let key_id = key_id.ok_or(KeyProblem::NoKeyId)?.to_owned();
    Ok((key_id, jwk::from_jwk(jwk).map_err(KeyProblem::Jwk)?))
}

fn key_id(element: &Element) -> Option<String> {
    let of = |jwk: &Map<String, Value>| jwk.get("kid").and_then(Value::as_str).map(shown);
    match element {
        Element::Jwk(jwk) => of(jwk),
        Element::Twice(_) | Element::Other => None,
    }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// The sequence number, with all its 64 bits; 0 if there is none.
fn sequence(number: Number) -> Result<u64, DocumentError> {
    match number {
        Number::Missing => Ok(0),
        Number::Positive(number) => Ok(number),
        Number::Negative | Number::Other => Err(DocumentError::Number("spiffe_sequence")),
    }
}

/// The refresh hint: a number of seconds that is not positive says nothing, and no more than a year is believed.
fn hint(number: Number) -> Result<Option<Duration>, DocumentError> {
    match number {
        Number::Missing | Number::Negative | Number::Positive(0) => Ok(None),
        Number::Positive(seconds) => Ok(Some(Duration::from_secs(seconds).min(MAX_REFRESH_HINT))),
        Number::Other => Err(DocumentError::Number("spiffe_refresh_hint")),
    }
}

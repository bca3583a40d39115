//! Reading a token in compact form.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::{JwsError, MAX_TOKEN, text};
use crate::json;
use crate::key::{PublicKey, SigAlg};

/// A token in compact form, taken apart; its signature is not judged.
#[derive(Debug, Clone)]
pub struct Jws {
    token: String,
    signed: usize,
    header: Map<String, Value>,
    alg: SigAlg,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl Jws {
    /// Takes a token apart without believing it.
    ///
    /// # Errors
    ///
    /// If it is longer than [`MAX_TOKEN`], is not three parts of base64url without padding (RFC 7515 §2), has a header
    /// that is no JSON object or names a member twice (§4), an algorithm that is not one of the nine (JWT-SVID §2.1, which
    /// is judged before the rest, §4), or a `crit` (§4.1.11: none is understood here).
    pub fn parse_unverified(token: &str) -> Result<Self, JwsError> {
        if token.len() > MAX_TOKEN {
            return Err(JwsError::TooLarge(token.len()));
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JwsError::Malformed("it has not three parts"));
        };
        let signed = token.len() - signature.len() - 1;
        const HEADER: &str = "its header is not JSON in base64url with distinct names";
        let header = json::object(&decode(header, HEADER)?).map_err(|_| JwsError::Malformed(HEADER))?;
        let alg = text(&header, "alg").unwrap_or_default();
        let alg = SigAlg::from_jws(alg).ok_or_else(|| JwsError::Algorithm(alg.to_owned()))?;
        if let Some(critical) = header.get("crit") {
            return Err(JwsError::Critical(critical.to_string()));
        }
        let payload = decode(payload, "its claims are not base64url")?;
        let signature = decode(signature, "its signature is not base64url")?;
        Ok(Self { token: token.to_owned(), signed, header, alg, payload, signature })
    }

    /// Whether the key made the signature, by the algorithm that the header names.
    ///
    /// # Errors
    ///
    /// If it did not, or if that algorithm is not one of the key's (RFC 7518 §3.3 to §3.5).
    pub fn verify(&self, key: &PublicKey) -> Result<(), JwsError> {
        let signed = self.token.as_bytes().get(..self.signed).unwrap_or_default();
        key.verify_jws(self.alg, signed, &self.signature).map_err(|_| JwsError::Signature)
    }

    /// The protected header; there is no other in this form.
    pub fn header(&self) -> &Map<String, Value> {
        &self.header
    }

    /// The algorithm that the header names.
    pub fn alg(&self) -> SigAlg {
        self.alg
    }

    /// `kid`, if there is one.
    ///
    /// # Errors
    ///
    /// If it is no text, or empty.
    pub fn key_id(&self) -> Result<Option<&str>, JwsError> {
        match self.header.get("kid") {
            None => Ok(None),
            Some(Value::String(kid)) if !kid.is_empty() => Ok(Some(kid)),
            Some(_) => Err(JwsError::Malformed("its key id is no text, or empty")),
        }
    }

    /// The payload as it was signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload as claims.
    ///
    /// # Errors
    ///
    /// If it is no JSON object or names a claim twice (RFC 7519 §4).
    pub fn claims(&self) -> Result<Map<String, Value>, JwsError> {
        json::object(&self.payload)
            .map_err(|_| JwsError::Malformed("its claims are not JSON with distinct names"))
    }

    /// The payload as claims in which no object at any depth names a member twice: for tokens whose inner objects matter,
    /// as the confirmation key of a WIT-SVID does.
    ///
    /// # Errors
    ///
    /// If it is no such JSON object.
    pub fn claims_throughout(&self) -> Result<Map<String, Value>, JwsError> {
        json::object_throughout(&self.payload)
            .map_err(|_| JwsError::Malformed("its claims are not JSON with distinct names"))
    }

    /// The token itself.
    pub fn token(&self) -> &str {
        &self.token
    }
}

fn decode(part: &str, why: &'static str) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::Malformed(why))
}

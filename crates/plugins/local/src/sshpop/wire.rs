//! The JSON that the two halves exchange, under the names that Go gives fields by itself; like Go, it is read under
//! lower-case names too.

use serde::{Deserialize, Serialize};

use super::public_key::Signature;
use crate::json_bytes::Bytes;

/// The length of a nonce, in bytes.
pub(super) const NONCE: usize = 32;
/// The largest message that is read, in bytes.
pub(super) const MAX_MESSAGE: usize = 64 * 1024;

/// What the agent opens with: its certificate, as SSH writes it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Payload {
    #[serde(rename = "Certificate", alias = "certificate", default)]
    pub(super) certificate: Bytes,
}

/// What the server asks.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Challenge {
    #[serde(rename = "Nonce", alias = "nonce", default)]
    pub(super) nonce: Bytes,
}

/// What the agent answers: a signature over the SHA-256 of both nonces, the server's first.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Response {
    #[serde(rename = "Nonce", alias = "nonce", default)]
    pub(super) nonce: Bytes,
    #[serde(rename = "Signature", alias = "signature")]
    pub(super) signature: Option<WireSignature>,
}

/// A signature, as SSH names its parts.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WireSignature {
    #[serde(rename = "Format", alias = "format", default)]
    format: String,
    #[serde(rename = "Blob", alias = "blob", default)]
    blob: Bytes,
    /// Of security keys only, which hosts do not have.
    #[serde(rename = "Rest", alias = "rest", default)]
    rest: Option<Bytes>,
}

impl From<Signature> for WireSignature {
    fn from(signature: Signature) -> Self {
        Self { format: signature.format, blob: Bytes(signature.blob), rest: None }
    }
}

impl From<WireSignature> for Signature {
    fn from(signature: WireSignature) -> Self {
        Self { format: signature.format, blob: signature.blob.0 }
    }
}

/// What is signed: SHA-256 over the server's nonce, then the agent's.
pub(super) fn both_nonces(challenge: &[u8], response: &[u8]) -> Result<Vec<u8>, &'static str> {
    if challenge.len() != NONCE {
        return Err("invalid challenge nonce size");
    }
    if response.len() != NONCE {
        return Err("invalid response nonce size");
    }
    let both = [challenge, response].concat();
    Ok(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &both).as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_print_as_spire_prints_them() {
        let response = Response {
            nonce: Bytes(vec![7; 3]),
            signature: Some(Signature { format: "ssh-rsa".to_owned(), blob: vec![1] }.into()),
        };
        let printed = serde_json::to_string(&response).unwrap();
        let expected = r#"{"Nonce":"BwcH","Signature":{"Format":"ssh-rsa","Blob":"AQ==","Rest":null}}"#;
        assert_eq!(printed, expected);
        assert_eq!(serde_json::from_str::<Response>(expected).unwrap(), response);
        assert_eq!(serde_json::from_str::<Payload>("{}").unwrap().certificate, Bytes(Vec::new()));
        let lower: Payload = serde_json::from_str(r#"{"certificate":"AQ=="}"#).unwrap();
        assert_eq!(lower.certificate, Bytes(vec![1]));
    }

    #[test]
    fn nonces_of_another_length_are_refused() {
        assert_eq!(both_nonces(&[1; 31], &[2; 32]), Err("invalid challenge nonce size"));
        assert_eq!(both_nonces(&[1; 32], &[2; 33]), Err("invalid response nonce size"));
    }
}

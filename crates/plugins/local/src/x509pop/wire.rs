//! The JSON that the two halves exchange. Bytes are in base64, as Go's `encoding/json` prints them.

pub(super) use crate::json_bytes::Bytes;

/// The length of a nonce, in bytes.
pub(super) const NONCE: usize = 32;
/// The largest opening payload that is read.
pub(super) const MAX_PAYLOAD: usize = 512 * 1024;
/// The largest challenge or response that is read.
pub(super) const MAX_ANSWER: usize = 16 * 1024;

/// What the agent opens with: the leaf certificate and those between it and a root.
#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Payload {
    pub(super) certificates: Option<Vec<Bytes>>,
}

/// What the server asks; one of the two, after the type of the leaf's key.
#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Challenge {
    pub(super) rsa_signature: Option<Nonce>,
    pub(super) ecdsa_signature: Option<Nonce>,
}

#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Nonce {
    pub(super) nonce: Bytes,
}

/// What the agent answers.
#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Response {
    pub(super) rsa_signature: Option<RsaSignature>,
    pub(super) ecdsa_signature: Option<EcdsaSignature>,
}

/// RSA-PSS with SHA-256 over both nonces.
#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct RsaSignature {
    pub(super) nonce: Bytes,
    pub(super) signature: Bytes,
}

/// ECDSA with SHA-256 over both nonces, whatever the curve: two unsigned numbers, big-endian.
#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct EcdsaSignature {
    pub(super) nonce: Bytes,
    pub(super) r: Bytes,
    pub(super) s: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_prints_as_spire_prints_it() {
        let challenge =
            Challenge { rsa_signature: None, ecdsa_signature: Some(Nonce { nonce: Bytes(vec![7; 3]) }) };
        let printed = serde_json::to_string(&challenge).unwrap();
        assert_eq!(printed, r#"{"rsa_signature":null,"ecdsa_signature":{"nonce":"BwcH"}}"#);
    }

    #[test]
    fn what_is_missing_is_nothing() {
        let payload: Payload = serde_json::from_str("{}").unwrap();
        assert_eq!(payload.certificates, None);
        let payload: Payload = serde_json::from_str(r#"{"certificates":[null,"AQ=="],"more":1}"#).unwrap();
        assert_eq!(payload.certificates, Some(vec![Bytes(vec![]), Bytes(vec![1])]));
    }
}

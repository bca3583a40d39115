//! The JSON that the two halves exchange, under the names that Go gives fields by itself. What a TPM wrote stands without
//! the length in front of it.

use serde::{Deserialize, Serialize};

use crate::json_bytes::Bytes;

/// The largest opening payload that is read, in bytes.
pub(super) const MAX_PAYLOAD: usize = 256 * 1024;
/// The largest challenge or response that is read.
pub(super) const MAX_ANSWER: usize = 16 * 1024;

/// What the agent opens with.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    /// The DevID certificate, then those between it and a root.
    #[serde(rename = "DevIDCert")]
    pub(super) devid_cert: Option<Vec<Bytes>>,
    /// The public half of its key.
    #[serde(rename = "DevIDPub")]
    pub(super) devid_pub: Bytes,
    /// The certificate of the endorsement key.
    #[serde(rename = "EKCert")]
    pub(super) ek_cert: Bytes,
    /// The public half of the endorsement key.
    #[serde(rename = "EKPub")]
    pub(super) ek_pub: Bytes,
    /// The public half of an attestation key.
    #[serde(rename = "AKPub")]
    pub(super) ak_pub: Bytes,
    /// What the TPM says of the DevID key, signed by the attestation key.
    #[serde(rename = "CertifiedDevID")]
    pub(super) certified_devid: Bytes,
    /// That signature.
    #[serde(rename = "CertificationSignature")]
    pub(super) certification_signature: Bytes,
    /// Ours, which SPIRE passes over: the key of the agent's SVID, if it is in the TPM too.
    #[serde(rename = "BonafideAgentKey", skip_serializing_if = "Option::is_none")]
    pub(super) agent_key: Option<AgentKey>,
}

/// A key, and what the TPM says of it, signed by the attestation key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct AgentKey {
    #[serde(rename = "Pub")]
    pub(super) public: Bytes,
    #[serde(rename = "Certified")]
    pub(super) certified: Bytes,
    #[serde(rename = "Signature")]
    pub(super) signature: Bytes,
}

/// What the server asks: a signature by the DevID key, and a secret that needs both other keys in one TPM.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Challenge {
    #[serde(rename = "DevID", default)]
    pub(super) devid: Bytes,
    #[serde(rename = "CredActivation")]
    pub(super) cred_activation: Option<CredActivation>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CredActivation {
    #[serde(rename = "Credential", default)]
    pub(super) credential: Bytes,
    #[serde(rename = "Secret", default)]
    pub(super) secret: Bytes,
}

/// What the agent answers.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Response {
    #[serde(rename = "DevID")]
    pub(super) devid: Bytes,
    #[serde(rename = "CredActivation")]
    pub(super) cred_activation: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_print_as_spire_prints_them() {
        let payload = Payload { devid_cert: Some(vec![Bytes(vec![1])]), ..Payload::default() };
        assert_eq!(
            serde_json::to_string(&payload).unwrap(),
            r#"{"DevIDCert":["AQ=="],"DevIDPub":"","EKCert":"","EKPub":"","AKPub":"","CertifiedDevID":"","CertificationSignature":""}"#
        );
        let challenge = Challenge {
            devid: Bytes(vec![1]),
            cred_activation: Some(CredActivation { credential: Bytes(vec![2]), secret: Bytes(vec![3]) }),
        };
        let printed = r#"{"DevID":"AQ==","CredActivation":{"Credential":"Ag==","Secret":"Aw=="}}"#;
        assert_eq!(serde_json::to_string(&challenge).unwrap(), printed);
        assert_eq!(serde_json::from_str::<Challenge>(printed).unwrap(), challenge);
        let nothing: Payload = serde_json::from_str(r#"{"DevIDCert":null,"EKCert":null,"More":1}"#).unwrap();
        assert_eq!(nothing, Payload::default());
    }
}

//! `bundle`: a SPIFFE bundle document is read.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::TrustDomain;
use spiffe::bundle::Bundle;

use super::Outcome;
use super::input::Bytes;
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "bundle";

/// A document and whose it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// Whose bundle it is: the document does not say.
    pub trust_domain: String,
    /// The document as it was received.
    pub document: String,
}

/// The input of a document of `example.org`.
pub fn document(text: &str) -> Input {
    let members = Members { trust_domain: "example.org".to_owned(), document: text.to_owned() };
    Input { kind: KIND, members: json!(members) }
}

pub(super) fn judge(members: Members) -> Outcome {
    let trust_domain = TrustDomain::parse(&members.trust_domain).map_err(|e| e.to_string())?;
    let read = Bundle::read_spiffe_json(trust_domain, &members.document).map_err(|e| e.to_string())?;
    let bundle = read.bundle;
    let certificate = |der: &[u8]| Bytes(der.to_vec());
    Ok(json!({
        "x509": bundle.x509_authorities().iter().map(|a| certificate(a.certificate.der())).collect::<Vec<_>>(),
        "jwt": bundle.jwt_authorities().iter().map(|a| &a.key_id).collect::<Vec<_>>(),
        "wit": bundle.wit_authorities().iter().map(|a| &a.key_id).collect::<Vec<_>>(),
        "sequence": bundle.sequence,
        "refresh_hint": bundle.refresh_hint.map(|hint| hint.as_secs()),
        "passed_over": read.passed_over.iter().map(|key| key.index).collect::<Vec<_>>(),
    }))
}

//! `jwt-bundle`: a JWK Set of the Workload API is read.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::TrustDomain;
use spiffe::bundle::Bundle;

use super::Outcome;
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "jwt-bundle";

/// A JWK Set and whose it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// Whose it is.
    trust_domain: String,
    /// The set as it was received.
    document: String,
}

/// The input of a set of `example.org`.
pub fn document(text: &str) -> Input {
    let members = Members { trust_domain: "example.org".to_owned(), document: text.to_owned() };
    Input { kind: KIND, members: json!(members) }
}

pub(super) fn judge(members: Members) -> Outcome {
    let own = TrustDomain::parse(&members.trust_domain).map_err(|e| e.to_string())?;
    let bundle = Bundle::parse_jwks_json(own, &members.document).map_err(|e| e.to_string())?;
    let x509 = bundle.x509_authorities().len();
    Ok(json!({ "jwt": bundle.jwt_authorities().iter().map(|a| &a.key_id).collect::<Vec<_>>(), "x509": x509 }))
}

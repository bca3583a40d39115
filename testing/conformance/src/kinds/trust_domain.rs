//! `trust-domain`: a text is read as the name of a trust domain.

use serde::Deserialize;
use serde_json::json;
use spiffe::TrustDomain;

use super::Outcome;
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "trust-domain";

/// The name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    name: String,
}

/// The input of a name.
pub fn name(name: &str) -> Input {
    Input { kind: KIND, members: json!({ "name": name }) }
}

pub(super) fn judge(members: Members) -> Outcome {
    let name = TrustDomain::parse(&members.name).map_err(|e| e.to_string())?;
    Ok(json!({ "name": name.as_str() }))
}

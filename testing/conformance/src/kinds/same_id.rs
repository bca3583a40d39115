//! `same-id`: two IDs are compared.

use serde::Deserialize;
use serde_json::json;
use spiffe::SpiffeId;

use super::Outcome;
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "same-id";

/// The two.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    a: String,
    b: String,
}

/// The input of two IDs.
pub fn ids(a: &str, b: &str) -> Input {
    Input { kind: KIND, members: json!({ "a": a, "b": b }) }
}

pub(super) fn judge(members: Members) -> Outcome {
    let [a, b] = [members.a, members.b].map(|id| SpiffeId::parse(&id).map_err(|e| e.to_string()));
    let (a, b) = (a?, b?);
    if a != b {
        return Err("they differ".to_owned());
    }
    Ok(json!({ "id": a.as_str() }))
}

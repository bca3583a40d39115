//! `held-wit`: a WIT-SVID and its private key are taken as the Workload API carries them.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::proof::HeldWit;

use super::Outcome;
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "held-wit";

/// The two.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// The token.
    wit: String,
    /// Its private key, a JWK in JSON.
    private_jwk: String,
}

/// The input of both.
pub fn of(wit: &str, private_jwk: &str) -> Input {
    let members = Members { wit: wit.to_owned(), private_jwk: private_jwk.to_owned() };
    Input { kind: KIND, members: json!(members) }
}

pub(super) fn judge(members: Members) -> Outcome {
    HeldWit::from_jwk(&members.wit, &members.private_jwk).map_err(|e| e.to_string())?;
    Ok(json!({}))
}

//! `jwt-svid`: a token is verified at a moment, for an audience, by someone who holds the given bundles.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::jwt::JwtSvid;

use super::Outcome;
use super::input::{Bundles, bundle_set, moment};
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "jwt-svid";

/// A token and what it is judged by.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// The token as it was sent.
    pub token: String,
    /// The audiences that the verifier answers to.
    pub audience: Vec<String>,
    /// What the verifier trusts.
    pub bundles: Bundles,
    /// When it is judged, in seconds since 1970.
    pub now: i64,
}

impl From<Members> for Input {
    fn from(members: Members) -> Self {
        Self { kind: KIND, members: json!(members) }
    }
}

pub(super) fn judge(members: Members) -> Outcome {
    let bundles = bundle_set(&members.bundles)?;
    let audience: Vec<&str> = members.audience.iter().map(String::as_str).collect();
    let verified = JwtSvid::verify(&members.token, &bundles, &audience, moment(members.now))
        .map_err(|e| e.to_string())?;
    Ok(json!({ "id": verified.id().as_str() }))
}

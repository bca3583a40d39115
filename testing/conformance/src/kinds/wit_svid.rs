//! `wit-svid`: a WIT-SVID is verified at a moment by someone who holds the given bundles; nobody presents it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::wit::{Lifespan, Wit};

use super::Outcome;
use super::input::{Bundles, bundle_set, moment};
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "wit-svid";

/// A token and what it is judged by.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// The token as it was sent.
    pub wit: String,
    /// What the verifier trusts.
    pub bundles: Bundles,
    /// The longest lifespan that it accepts, in seconds, if it has a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifespan: Option<u64>,
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
    let lifespan = members.lifespan.map_or(Lifespan::AsIssued, |s| Lifespan::AtMost(Duration::from_secs(s)));
    let verified =
        Wit::verify(&members.wit, &bundles, lifespan, moment(members.now)).map_err(|e| e.to_string())?;
    let wit = verified.wit();
    Ok(json!({ "subject": wit.subject().as_str(), "alg": wit.confirmation().alg().jws_name() }))
}

//! `wit-request` and `wit-refusal`: a request with a WIT-SVID and a proof is authenticated, or answered.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::proof::{ProvenWit, authenticate};
use spiffe::wit::Lifespan;

use super::Outcome;
use super::http::{Protocol, Request, borrowed};
use super::input::{Bundles, bundle_set, moment};
use crate::format::Input;

/// The name of the kind that authenticates.
pub const KIND: &str = "wit-request";
/// The name of the kind that answers.
pub const REFUSAL: &str = "wit-refusal";

/// A request and what it is judged by.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// Requests that the same verifier got and accepted before, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Request>,
    /// The request.
    pub request: Request,
    /// How the verifier is configured.
    pub protocol: Protocol,
    /// What it trusts.
    pub bundles: Bundles,
    /// When it is judged, in seconds since 1970.
    pub now: i64,
}

/// A request that is refused, and how a server would answer it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The request.
    pub request: Request,
    /// How the verifier is configured.
    pub protocol: Protocol,
    /// What it trusts.
    pub bundles: Bundles,
    /// When it is judged, in seconds since 1970.
    pub now: i64,
    /// The status code of the answer.
    pub status: u16,
    /// The value of `WWW-Authenticate` in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticate: Option<String>,
}

impl From<Members> for Input {
    fn from(members: Members) -> Self {
        Self { kind: KIND, members: json!(members) }
    }
}

impl From<Refused> for Input {
    fn from(members: Refused) -> Self {
        Self { kind: REFUSAL, members: json!(members) }
    }
}

impl Members {
    /// Who sent the request.
    pub(super) fn peer(&self) -> Result<ProvenWit, String> {
        let bundles = bundle_set(&self.bundles)?;
        let verifier = self.protocol.verifier()?;
        let judged = |request: &Request| {
            let fields = borrowed(&request.fields);
            let request = request.with(&fields);
            authenticate(&request, &bundles, Lifespan::AsIssued, &*verifier, moment(self.now))
        };
        for request in &self.before {
            judged(request).map_err(|e| format!("a request before it: {e}"))?;
        }
        judged(&self.request).map_err(|e| e.to_string())
    }
}

/// The outcome is who sent it, and which of its fields the proof binds.
pub(super) fn judge(members: Members) -> Outcome {
    let peer = members.peer()?;
    let mut bound: Vec<String> = members
        .request
        .fields
        .iter()
        .filter(|(name, _)| peer.binds(name))
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    bound.sort();
    Ok(json!({ "id": peer.id().as_str(), "binds": bound }))
}

/// Accepted is the answer that the draft recommends.
pub(super) fn judge_refusal(members: Refused) -> Outcome {
    let bundles = bundle_set(&members.bundles)?;
    let verifier = members.protocol.verifier()?;
    let fields = borrowed(&members.request.fields);
    let request = members.request.with(&fields);
    let judged = authenticate(&request, &bundles, Lifespan::AsIssued, &*verifier, moment(members.now));
    let Err(why) = judged else { return Err("the request is not to be refused".to_owned()) };
    let answer = verifier.answer(&why);
    if (answer.status, answer.authenticate) != (members.status, members.authenticate.as_deref()) {
        return Err(format!("{why}: the answer is {answer:?}"));
    }
    Ok(json!({ "status": answer.status }))
}

//! `present-wit`: a client presents its WIT-SVID with a request.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::proof::{HeldWit, audience_of, authenticate};
use spiffe::wit::Lifespan;

use super::Outcome;
use super::http::{Protocol, Request, borrowed};
use super::input::{Bundles, bundle_set, moment};
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "present-wit";

/// What the client holds and what it is about to send.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// The token.
    pub wit: String,
    /// Its private key, a JWK in JSON.
    pub private_jwk: String,
    /// What is spoken.
    pub protocol: Protocol,
    /// The URI of the request.
    pub uri: String,
    /// The request without the fields that are added to it.
    pub request: Request,
    /// What the server trusts.
    pub bundles: Bundles,
    /// When it is sent and judged, in seconds since 1970.
    pub now: i64,
}

impl From<Members> for Input {
    fn from(members: Members) -> Self {
        Self { kind: KIND, members: json!(members) }
    }
}

/// The outcome is which fields are added; the server must find out who sent the request.
pub(super) fn judge(members: Members) -> Outcome {
    let held = HeldWit::from_jwk(&members.wit, &members.private_jwk).map_err(|e| e.to_string())?;
    let audience = audience_of(&members.uri).map_err(|e| e.to_string())?;
    let now = moment(members.now);
    let sent = borrowed(&members.request.fields);
    let added = members
        .protocol
        .prover()
        .present(&held, &members.request.with(&sent), &audience, now)
        .map_err(|e| e.to_string())?;
    let mut fields = sent.clone();
    fields.extend(added.iter().map(|(name, value)| (*name, value.as_str())));
    let bundles = bundle_set(&members.bundles)?;
    let verifier = members.protocol.verifier()?;
    let peer = authenticate(&members.request.with(&fields), &bundles, Lifespan::AsIssued, &*verifier, now)
        .map_err(|e| e.to_string())?;
    let added: Vec<&str> = added.iter().map(|(name, _)| *name).collect();
    Ok(json!({ "id": peer.id().as_str(), "adds": added }))
}

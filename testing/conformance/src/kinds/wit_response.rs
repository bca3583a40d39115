//! `wit-response` and `unsigned-response`: what a client makes of a response to its signed request, and whether a server may
//! leave one unsigned.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::proof::http_signature::{
    HttpSignatureVerifier, ResponseRule, SignedRequest, may_answer_unsigned,
};
use spiffe::proof::{Audiences, ReplayMemory};
use spiffe::wit::Lifespan;

use super::Outcome;
use super::http::{Request, Response, borrowed};
use super::input::{Bundles, bundle_set, moment};
use super::wit_request;
use crate::format::Input;

/// The name of the kind that judges a response.
pub const KIND: &str = "wit-response";
/// The name of the kind that asks whether a response may be left unsigned.
pub const UNSIGNED: &str = "unsigned-response";

/// A response and what it is judged by.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// The response.
    pub response: Response,
    /// The request as it was sent.
    pub request: Request,
    /// The nonce of its signature.
    pub nonce: String,
    /// Whether it asked for a signed response.
    pub asked: bool,
    /// Whether the client wants signed responses always.
    pub always: bool,
    /// What the client trusts.
    pub bundles: Bundles,
    /// When it is judged, in seconds since 1970.
    pub now: i64,
}

/// A request that was authenticated, and the status of the response to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsigned {
    /// The request and how it was authenticated.
    pub received: wit_request::Members,
    /// The status of the response.
    pub status: u16,
    /// Whether the server signs responses always.
    pub always: bool,
}

impl From<Members> for Input {
    fn from(members: Members) -> Self {
        Self { kind: KIND, members: json!(members) }
    }
}

impl From<Unsigned> for Input {
    fn from(members: Unsigned) -> Self {
        Self { kind: UNSIGNED, members: json!(members) }
    }
}

fn rule(always: bool) -> ResponseRule {
    if always { ResponseRule::Always } else { ResponseRule::AsAsked }
}

/// The outcome is who sent it, which is nobody where it is not signed and need not be.
pub(super) fn judge(members: Members) -> Outcome {
    let bundles = bundle_set(&members.bundles)?;
    let client = HttpSignatureVerifier::new(Audiences::default(), Arc::new(ReplayMemory::new(100)))
        .at_most(Duration::from_secs(300));
    let (sent, received) = (borrowed(&members.request.fields), borrowed(&members.response.fields));
    let signed = SignedRequest { fields: Vec::new(), nonce: members.nonce, sign_response: members.asked };
    let peer = client
        .verify_response(
            &members.response.with(&received),
            &members.request.with(&sent),
            &signed,
            rule(members.always),
            &bundles,
            Lifespan::AsIssued,
            moment(members.now),
        )
        .map_err(|e| e.to_string())?;
    Ok(json!({ "id": peer.map(|peer| peer.id().to_string()) }))
}

/// Accepted is what may be sent without a signature.
pub(super) fn judge_unsigned(members: Unsigned) -> Outcome {
    let peer = members.received.peer()?;
    match may_answer_unsigned(&peer, rule(members.always), members.status) {
        true => Ok(json!({ "status": members.status })),
        false => Err("it must be signed".to_owned()),
    }
}

//! `x509-svid`: a chain is verified at a moment by someone who holds the given bundles.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::x509::{VerifyOptions, X509Svid};

use super::Outcome;
use super::input::{Bundles, Bytes, bundle_set, moment};
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "x509-svid";

/// A chain and what it is judged by.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// The certificates, leaf first, DER.
    pub chain: Vec<Bytes>,
    /// What the verifier trusts.
    pub bundles: Bundles,
    /// The side of TLS that the peer stands on; either, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// When it is judged, in seconds since 1970.
    pub now: i64,
}

/// A side of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The one that accepts the connection.
    Server,
    /// The one that opens it.
    Client,
}

impl From<Members> for Input {
    fn from(members: Members) -> Self {
        Self { kind: KIND, members: json!(members) }
    }
}

pub(super) fn judge(members: Members) -> Outcome {
    let bundles = bundle_set(&members.bundles)?;
    let svid = X509Svid::parse_chain(members.chain.into_iter().map(|der| der.0)).map_err(|e| chain(&e))?;
    let options = VerifyOptions::at(moment(members.now));
    let options = match members.side {
        None => options,
        Some(Side::Server) => options.on(spiffe::x509::Side::Server),
        Some(Side::Client) => options.on(spiffe::x509::Side::Client),
    };
    let verified = svid.verify_with(&bundles, options).map_err(|e| chain(&e))?;
    Ok(json!({ "id": verified.id().as_str() }))
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}

//! `x509-svid-concatenated` and `x509-bundle`: certificates one after another, as the Workload API carries them.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::TrustDomain;
use spiffe::bundle::Bundle;
use spiffe::x509::X509Svid;

use super::Outcome;
use super::input::Bytes;
use crate::format::Input;

/// The name of the kind for chains.
pub const SVID: &str = "x509-svid-concatenated";
/// The name of the kind for bundles.
pub const BUNDLE: &str = "x509-bundle";

/// The certificates.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// DER, one after another.
    certificates: Bytes,
}

/// The input of a chain.
pub fn svid(certificates: &[Vec<u8>]) -> Input {
    Input { kind: SVID, members: json!(Members { certificates: Bytes(certificates.concat()) }) }
}

/// The input of a bundle.
pub fn bundle(certificates: &[Vec<u8>]) -> Input {
    Input { kind: BUNDLE, members: json!(Members { certificates: Bytes(certificates.concat()) }) }
}

pub(super) fn judge_svid(members: Members) -> Outcome {
    let svid = X509Svid::parse_concatenated(&members.certificates.0).map_err(|e| e.to_string())?;
    Ok(json!({ "id": svid.id().as_str(), "certificates": svid.chain().len() }))
}

pub(super) fn judge_bundle(members: Members) -> Outcome {
    let own = TrustDomain::parse("example.org").map_err(|e| e.to_string())?;
    let bundle = Bundle::parse_x509_concatenated(own, &members.certificates.0).map_err(|e| e.to_string())?;
    Ok(json!({ "certificates": bundle.x509_authorities().len() }))
}

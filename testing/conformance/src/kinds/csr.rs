//! `csr`: a certificate signing request is read, and its signature checked.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::x509::Csr;

use super::Outcome;
use super::input::Bytes;
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "csr";

/// The request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// DER.
    csr: Bytes,
}

/// The input of a request.
pub fn der(csr: Vec<u8>) -> Input {
    Input { kind: KIND, members: json!(Members { csr: Bytes(csr) }) }
}

pub(super) fn judge(members: Members) -> Outcome {
    let csr = Csr::parse(&members.csr.0).map_err(|e| e.to_string())?;
    let key = Bytes(csr.public_key().spki_der().to_vec());
    Ok(json!({ "uris": csr.uri_sans(), "dns": csr.dns_names(), "key": key }))
}

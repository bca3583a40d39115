//! `spiffe-id`: bytes are read as a SPIFFE ID.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::SpiffeId;

use super::Outcome;
use super::input::Bytes;
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "spiffe-id";

/// The ID as text, or as bytes where it is none.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Members {
    /// As text.
    Text {
        /// The ID.
        id: String,
    },
    /// As bytes that are not UTF-8.
    Bytes {
        /// The ID.
        bytes: Bytes,
    },
}

/// The input of a text.
pub fn text(id: &str) -> Input {
    Input { kind: KIND, members: json!({ "id": id }) }
}

/// The input of bytes.
pub fn bytes(id: &[u8]) -> Input {
    Input { kind: KIND, members: json!({ "bytes": Bytes(id.to_vec()) }) }
}

pub(super) fn judge(members: Members) -> Outcome {
    let id = match members {
        Members::Text { id } => id,
        Members::Bytes { bytes } => String::from_utf8(bytes.0).map_err(|e| e.to_string())?,
    };
    let id = SpiffeId::parse(&id).map_err(|e| e.to_string())?;
    Ok(json!({ "id": id.as_str(), "trust_domain": id.trust_domain().as_str(), "path": id.path() }))
}

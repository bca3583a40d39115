//! `private-key`: a private key is read as the Workload API carries it, and compared with a leaf where there is one.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::key::{PrivateKey, Signer};
use spiffe::x509::X509Svid;
use spiffe_tls::Identity;
use std::sync::Arc;

use super::Outcome;
use super::input::Bytes;
use crate::format::Input;

/// The name of the kind.
pub const KIND: &str = "private-key";

/// A key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// The key: unencrypted PKCS#8, DER.
    pkcs8: Bytes,
    /// The chain whose leaf it belongs to, DER.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    chain: Vec<Bytes>,
}

/// The input of a key alone.
pub fn alone(pkcs8: Vec<u8>) -> Input {
    of(pkcs8, [])
}

/// The input of a key and a chain.
pub fn of(pkcs8: Vec<u8>, chain: impl IntoIterator<Item = Vec<u8>>) -> Input {
    let chain = chain.into_iter().map(Bytes).collect();
    Input { kind: KIND, members: json!(Members { pkcs8: Bytes(pkcs8), chain }) }
}

pub(super) fn judge(members: Members) -> Outcome {
    let key = PrivateKey::from_pkcs8(&members.pkcs8.0).map_err(|e| e.to_string())?;
    let public = Bytes(key.public().spki_der().to_vec());
    if !members.chain.is_empty() {
        let chain = members.chain.into_iter().map(|der| der.0);
        let svid = X509Svid::parse_chain(chain).map_err(|e| e.to_string())?;
        Identity::new(svid, Arc::new(key)).map_err(|e| e.to_string())?;
    }
    Ok(json!({ "public": public }))
}

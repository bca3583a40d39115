//! `bundle-map`, `publish-bundle-map` and `bundle-set`: the bundles of several trust domains.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use spiffe::TrustDomain;
use spiffe::bundle::{Bundle, BundleSet, WitKeys};

use super::Outcome;
use super::svid_by_document::Documents;
use crate::format::Input;

/// The name of the kind for reading.
pub const READ: &str = "bundle-map";
/// The name of the kind for publishing.
pub const PUBLISH: &str = "publish-bundle-map";
/// The name of the kind for bundles that are held together.
pub const SET: &str = "bundle-set";

/// A map as it was received.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Received {
    /// The text.
    pub map: String,
}

/// Bundles by the name of their trust domain.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// As documents.
    pub documents: Documents,
}

/// The input of a map.
pub fn read(map: &str) -> Input {
    Input { kind: READ, members: json!(Received { map: map.to_owned() }) }
}

/// The input of bundles that are published.
pub fn publish(documents: Documents) -> Input {
    Input { kind: PUBLISH, members: json!(Held { documents }) }
}

/// The input of bundles that are held together.
pub fn held(documents: Documents) -> Input {
    Input { kind: SET, members: json!(Held { documents }) }
}

pub(super) fn judge_read(members: Received) -> Outcome {
    let read = BundleSet::read_map_json(&members.map).map_err(|e| e.to_string())?;
    let of = |bundle: &Arc<Bundle>| {
        let jwt: Vec<&str> = bundle.jwt_authorities().iter().map(|a| a.key_id.as_str()).collect();
        let hint = bundle.refresh_hint.map(|hint| hint.as_secs());
        let members = json!({ "sequence": bundle.sequence, "refresh_hint": hint, "jwt": jwt });
        (bundle.trust_domain().to_string(), members)
    };
    Ok(Value::Object(read.bundles.iter().map(of).collect::<Map<_, _>>()))
}

fn set(documents: &Documents) -> Result<BundleSet, String> {
    let of = |(name, text): (&String, &String)| {
        let trust_domain = TrustDomain::parse(name).map_err(|e| e.to_string())?;
        Bundle::parse_spiffe_json(trust_domain, text).map(Arc::new).map_err(|e| e.to_string())
    };
    documents.iter().map(of).collect()
}

pub(super) fn judge_publish(members: Held) -> Outcome {
    serde_json::from_str(&set(&members.documents)?.to_map_json(WitKeys::Included)).map_err(|e| e.to_string())
}

/// Refused if one of them could sign for another.
pub(super) fn judge_set(members: Held) -> Outcome {
    let set = set(&members.documents)?;
    match set.shared_keys().first() {
        None => Ok(json!({ "trust_domains": set.len() })),
        Some(shared) => Err(format!("{} and {} share a key", shared.first, shared.second)),
    }
}

//! `workload-address`, `workload-endpoint`, `workload-header`: how the Workload API is found, and who may call it.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::endpoint::{WorkloadEndpoint, check_workload_header};

use super::Outcome;
use crate::format::Input;

/// The name of the kind for addresses.
pub const ADDRESS: &str = "workload-address";
/// The name of the kind for locating the endpoint.
pub const ENDPOINT: &str = "workload-endpoint";
/// The name of the kind for the header of requests.
pub const HEADER: &str = "workload-header";

/// An address as it is configured.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The URI.
    pub address: String,
}

/// What says where the endpoint is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Located {
    /// What is configured, if anything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configured: Option<String>,
    /// The value of `SPIFFE_ENDPOINT_SOCKET`, if it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// The values of `workload.spiffe.io` of a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// All of them.
    pub values: Vec<String>,
}

/// The input of an address.
pub fn address(text: &str) -> Input {
    Input { kind: ADDRESS, members: json!(Address { address: text.to_owned() }) }
}

/// The input of a configuration and an environment.
pub fn located(configured: Option<&str>, environment: Option<&str>) -> Input {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let members = Located { configured: owned(configured), environment: owned(environment) };
    Input { kind: ENDPOINT, members: json!(members) }
}

/// The input of a request's values.
pub fn header(values: &[&str]) -> Input {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Input { kind: HEADER, members: json!(Header { values }) }
}

pub(super) fn judge_address(members: Address) -> Outcome {
    let endpoint = WorkloadEndpoint::parse(&members.address).map_err(|e| e.to_string())?;
    Ok(json!({ "endpoint": endpoint.to_string() }))
}

pub(super) fn judge_located(members: Located) -> Outcome {
    let (configured, environment) = (members.configured.as_deref(), members.environment.as_deref());
    let endpoint = WorkloadEndpoint::locate(configured, environment).map_err(|e| e.to_string())?;
    Ok(json!({ "endpoint": endpoint.to_string() }))
}

pub(super) fn judge_header(members: Header) -> Outcome {
    check_workload_header(members.values.iter().map(|value| value.as_bytes())).map_err(|e| e.to_string())?;
    Ok(json!({}))
}

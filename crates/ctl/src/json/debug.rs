//! How a server is doing.

use proto::spire::api::server::debug::v1::GetInfoResponse;
use proto::spire::api::server::debug::v1::get_info_response::Cert;
use serde_json::{Value, json};

use super::{ToJson, list, long, maybe, present};

impl ToJson for GetInfoResponse {
    fn to_json(&self) -> Value {
        json!({
            "svid_chain": list(&self.svid_chain),
            "uptime": self.uptime,
            "agents_count": self.agents_count,
            "federated_bundles_count": self.federated_bundles_count,
            "entries_count": self.entries_count,
        })
    }
}

impl ToJson for Cert {
    fn to_json(&self) -> Value {
        present(json!({
            "id": maybe(self.id.as_ref()),
            "expires_at": long(self.expires_at),
            "subject": self.subject,
        }))
    }
}

//! Agents and join tokens.

use proto::spire::api::server::agent::v1::{CountAgentsResponse, ListAgentsResponse};
use proto::spire::api::types::{Agent, JoinToken};
use serde_json::{Value, json};

use super::{ToJson, list, long, maybe, present};

impl ToJson for Agent {
    fn to_json(&self) -> Value {
        present(json!({
            "id": maybe(self.id.as_ref()),
            "attestation_type": self.attestation_type,
            "x509svid_serial_number": self.x509svid_serial_number,
            "x509svid_expires_at": long(self.x509svid_expires_at),
            "selectors": list(&self.selectors),
            "banned": self.banned,
            "can_reattest": self.can_reattest,
            "agent_version": self.agent_version,
        }))
    }
}

impl ToJson for ListAgentsResponse {
    fn to_json(&self) -> Value {
        json!({"agents": list(&self.agents), "next_page_token": self.next_page_token})
    }
}

impl ToJson for CountAgentsResponse {
    fn to_json(&self) -> Value {
        json!({"count": self.count})
    }
}

impl ToJson for JoinToken {
    fn to_json(&self) -> Value {
        json!({"value": self.value, "expires_at": long(self.expires_at)})
    }
}

//! Entries.

use proto::spire::api::server::entry::v1::{
    BatchCreateEntryResponse, BatchDeleteEntryResponse, BatchUpdateEntryResponse, CountEntriesResponse,
    ListEntriesResponse, batch_create_entry_response, batch_delete_entry_response,
    batch_update_entry_response,
};
use proto::spire::api::types::{Entry, Selector, Spiffeid, Status, entry};
use serde_json::{Value, json};

use super::{ToJson, list, long, maybe, present};

impl ToJson for Spiffeid {
    fn to_json(&self) -> Value {
        json!({"trust_domain": self.trust_domain, "path": self.path})
    }
}

impl ToJson for Selector {
    fn to_json(&self) -> Value {
        json!({"type": self.r#type, "value": self.value})
    }
}

impl ToJson for Status {
    fn to_json(&self) -> Value {
        json!({"code": self.code, "message": self.message})
    }
}

impl ToJson for entry::AdditionalAttributes {
    fn to_json(&self) -> Value {
        json!({
            "disable_x509_svid_prefetch": self.disable_x509_svid_prefetch,
            "jwt_svid_include_jti": self.jwt_svid_include_jti,
        })
    }
}

impl ToJson for Entry {
    fn to_json(&self) -> Value {
        present(json!({
            "id": self.id,
            "spiffe_id": maybe(self.spiffe_id.as_ref()),
            "parent_id": maybe(self.parent_id.as_ref()),
            "selectors": list(&self.selectors),
            "x509_svid_ttl": self.x509_svid_ttl,
            "federates_with": self.federates_with,
            "admin": self.admin,
            "downstream": self.downstream,
            "expires_at": long(self.expires_at),
            "dns_names": self.dns_names,
            "revision_number": long(self.revision_number),
            "store_svid": self.store_svid,
            "jwt_svid_ttl": self.jwt_svid_ttl,
            "hint": self.hint,
            "created_at": long(self.created_at),
            "additional_attributes": maybe(self.additional_attributes.as_ref()),
        }))
    }
}

impl ToJson for ListEntriesResponse {
    fn to_json(&self) -> Value {
        json!({"entries": list(&self.entries), "next_page_token": self.next_page_token})
    }
}

impl ToJson for CountEntriesResponse {
    fn to_json(&self) -> Value {
        json!({"count": self.count})
    }
}

impl ToJson for BatchCreateEntryResponse {
    fn to_json(&self) -> Value {
        json!({"results": list(&self.results)})
    }
}

impl ToJson for batch_create_entry_response::Result {
    fn to_json(&self) -> Value {
        present(json!({"status": maybe(self.status.as_ref()), "entry": maybe(self.entry.as_ref())}))
    }
}

impl ToJson for BatchUpdateEntryResponse {
    fn to_json(&self) -> Value {
        json!({"results": list(&self.results)})
    }
}

impl ToJson for batch_update_entry_response::Result {
    fn to_json(&self) -> Value {
        present(json!({"status": maybe(self.status.as_ref()), "entry": maybe(self.entry.as_ref())}))
    }
}

impl ToJson for BatchDeleteEntryResponse {
    fn to_json(&self) -> Value {
        json!({"results": list(&self.results)})
    }
}

impl ToJson for batch_delete_entry_response::Result {
    fn to_json(&self) -> Value {
        present(json!({"status": maybe(self.status.as_ref()), "id": self.id}))
    }
}

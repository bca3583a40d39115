//! Bundles.

use proto::spire::api::server::bundle::v1::{
    BatchDeleteFederatedBundleResponse, BatchSetFederatedBundleResponse, CountBundlesResponse,
    ListFederatedBundlesResponse, batch_delete_federated_bundle_response,
    batch_set_federated_bundle_response,
};
use proto::spire::api::types::{Bundle, JwtKey, WitKey, X509Certificate};
use serde_json::{Value, json};

use super::{ToJson, bytes, list, long, maybe, present};

impl ToJson for X509Certificate {
    fn to_json(&self) -> Value {
        json!({"asn1": bytes(&self.asn1), "tainted": self.tainted})
    }
}

impl ToJson for JwtKey {
    fn to_json(&self) -> Value {
        json!({
            "public_key": bytes(&self.public_key),
            "key_id": self.key_id,
            "expires_at": long(self.expires_at),
            "tainted": self.tainted,
        })
    }
}

impl ToJson for WitKey {
    fn to_json(&self) -> Value {
        json!({
            "public_key": bytes(&self.public_key),
            "key_id": self.key_id,
            "expires_at": long(self.expires_at),
            "tainted": self.tainted,
        })
    }
}

impl ToJson for Bundle {
    fn to_json(&self) -> Value {
        json!({
            "trust_domain": self.trust_domain,
            "x509_authorities": list(&self.x509_authorities),
            "jwt_authorities": list(&self.jwt_authorities),
            "refresh_hint": long(self.refresh_hint),
            "sequence_number": long(self.sequence_number),
            "wit_authorities": list(&self.wit_authorities),
        })
    }
}

impl ToJson for ListFederatedBundlesResponse {
    fn to_json(&self) -> Value {
        json!({"bundles": list(&self.bundles), "next_page_token": self.next_page_token})
    }
}

impl ToJson for CountBundlesResponse {
    fn to_json(&self) -> Value {
        json!({"count": self.count})
    }
}

impl ToJson for BatchSetFederatedBundleResponse {
    fn to_json(&self) -> Value {
        json!({"results": list(&self.results)})
    }
}

impl ToJson for batch_set_federated_bundle_response::Result {
    fn to_json(&self) -> Value {
        present(json!({"status": maybe(self.status.as_ref()), "bundle": maybe(self.bundle.as_ref())}))
    }
}

impl ToJson for BatchDeleteFederatedBundleResponse {
    fn to_json(&self) -> Value {
        json!({"results": list(&self.results)})
    }
}

impl ToJson for batch_delete_federated_bundle_response::Result {
    fn to_json(&self) -> Value {
        present(json!({"status": maybe(self.status.as_ref()), "trust_domain": self.trust_domain}))
    }
}

//! Answers of the Workload API.

use proto::workload::{
    JwtBundlesResponse, Jwtsvid, JwtsvidResponse, ValidateJwtsvidResponse, X509svid, X509svidResponse,
};
use serde_json::{Value, json};

use super::{ToJson, bytes, bytes_by_name, list, present, structure};

impl ToJson for X509svid {
    fn to_json(&self) -> Value {
        json!({
            "spiffe_id": self.spiffe_id,
            "x509_svid": bytes(&self.x509_svid),
            "x509_svid_key": bytes(&self.x509_svid_key),
            "bundle": bytes(&self.bundle),
            "hint": self.hint,
        })
    }
}

impl ToJson for X509svidResponse {
    fn to_json(&self) -> Value {
        json!({
            "svids": list(&self.svids),
            "crl": self.crl.iter().map(|crl| bytes(crl)).collect::<Value>(),
            "federated_bundles": bytes_by_name(&self.federated_bundles),
        })
    }
}

impl ToJson for Jwtsvid {
    fn to_json(&self) -> Value {
        json!({"spiffe_id": self.spiffe_id, "svid": self.svid, "hint": self.hint})
    }
}

impl ToJson for JwtsvidResponse {
    fn to_json(&self) -> Value {
        json!({"svids": list(&self.svids)})
    }
}

impl ToJson for JwtBundlesResponse {
    fn to_json(&self) -> Value {
        json!({"bundles": bytes_by_name(&self.bundles)})
    }
}

impl ToJson for ValidateJwtsvidResponse {
    fn to_json(&self) -> Value {
        let claims = self.claims.as_ref().map_or(Value::Null, structure);
        present(json!({"spiffe_id": self.spiffe_id, "claims": claims}))
    }
}

//! SVIDs from a server.

use proto::spire::api::server::svid::v1::MintJwtsvidResponse;
use proto::spire::api::types::Jwtsvid;
use serde_json::{Value, json};

use super::{ToJson, long, maybe, present};

impl ToJson for Jwtsvid {
    fn to_json(&self) -> Value {
        present(json!({
            "token": self.token,
            "id": maybe(self.id.as_ref()),
            "expires_at": long(self.expires_at),
            "issued_at": long(self.issued_at),
            "hint": self.hint,
        }))
    }
}

impl ToJson for MintJwtsvidResponse {
    fn to_json(&self) -> Value {
        present(json!({"svid": maybe(self.svid.as_ref())}))
    }
}

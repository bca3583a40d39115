//! Writing the SPIFFE bundle document and the plain JWKS (RFC 7517).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Bundle, WitAuthority};
use crate::jwk;
use crate::key::PublicKey;

impl Bundle {
    /// The SPIFFE bundle document, keys with their `use` (Trust Domain and Bundle §4), without those of WIT-SVIDs: a
    /// SPIRE that does not know their use yet refuses the whole document.
    pub fn to_spiffe_json(&self) -> String {
        self.document(&[]).to_string()
    }

    /// The SPIFFE bundle document with the keys of WIT-SVIDs in it (WIT-SVID §6.1): for readers that pass over a use
    /// that they do not know, as Trust Domain and Bundle §4.2.2 wants it.
    pub fn to_spiffe_json_with_wit(&self) -> String {
        self.document(&self.wit).to_string()
    }

    pub(super) fn document(&self, wit: &[WitAuthority]) -> Value {
        let mut keys = Vec::new();
        for authority in self.x509_authorities() {
            let mut key = member("use", "x509-svid");
            key.extend(jwk::to_jwk(authority.certificate.public_key()));
            key.insert("x5c".into(), json!([STANDARD.encode(authority.certificate.der())]));
            keys.push(Value::Object(key));
        }
        for authority in self.jwt_authorities() {
            keys.push(signing_key("jwt-svid", &authority.key_id, &authority.public_key));
        }
        keys.extend(wit.iter().map(|a| signing_key("wit-svid", &a.key_id, &a.public_key)));
        let mut document = Map::new();
        document.insert("keys".into(), Value::Array(keys));
        if self.sequence > 0 {
            document.insert("spiffe_sequence".into(), json!(self.sequence));
        }
        if let Some(hint) = self.refresh_hint.map(|hint| hint.as_secs()).filter(|seconds| *seconds > 0) {
            document.insert("spiffe_refresh_hint".into(), json!(hint));
        }
        Value::Object(document)
    }

    /// The JWT authorities as a plain JWKS, without `use`: what the Workload API's JWT bundles hold (SPIRE 1.16).
    pub fn to_jwks_json(&self) -> String {
        let keys: Vec<Value> = self
            .jwt_authorities()
            .iter()
            .map(|authority| {
                let mut key = member("kid", &authority.key_id);
                key.extend(jwk::to_jwk(&authority.public_key));
                Value::Object(key)
            })
            .collect();
        json!({ "keys": keys }).to_string()
    }

    /// The WIT authorities as a JWKS, each with `use` and `kid`: what the Workload API's WIT bundles hold (Workload API
    /// §7.2.2, WIT-SVID §6.1).
    pub fn to_wit_jwks_json(&self) -> String {
        let keys: Vec<Value> =
            self.wit.iter().map(|a| signing_key("wit-svid", &a.key_id, &a.public_key)).collect();
        json!({ "keys": keys }).to_string()
    }
}

fn signing_key(what: &str, key_id: &str, public_key: &PublicKey) -> Value {
    let mut key = member("use", what);
    key.insert("kid".into(), json!(key_id));
    key.extend(jwk::to_jwk(public_key));
    Value::Object(key)
}

fn member(name: &str, value: &str) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), json!(value))])
}

//! Bundle documents with any content.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::certificate::Certificate;
use super::key::Key;

/// A document of these keys.
pub fn document(keys: &[Value]) -> String {
    json!({ "keys": keys, "spiffe_sequence": 1, "spiffe_refresh_hint": 600 }).to_string()
}

/// The entry of a signing certificate.
pub fn x509(authority: &Certificate) -> Value {
    with(
        authority.key.jwk(),
        &[("use", json!("x509-svid")), ("x5c", json!([base64(&authority.self_signed())]))],
    )
}

/// The entry of a key for JWT-SVIDs.
pub fn jwt(kid: &str, key: &Key) -> Value {
    with(key.jwk(), &[("use", json!("jwt-svid")), ("kid", json!(kid))])
}

/// The entry of a key for WIT-SVIDs.
pub fn wit(kid: &str, key: &Key) -> Value {
    with(key.jwk(), &[("use", json!("wit-svid")), ("kid", json!(kid))])
}

/// An entry with other members.
pub fn with(mut entry: Value, members: &[(&str, Value)]) -> Value {
    for (name, value) in members {
        entry[*name] = value.clone();
    }
    entry
}

/// An entry without a member.
pub fn without(mut entry: Value, member: &str) -> Value {
    if let Some(members) = entry.as_object_mut() {
        members.remove(member);
    }
    entry
}

/// Bytes as `x5c` has them.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

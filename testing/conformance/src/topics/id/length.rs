//! How long an ID may be: ID-18 and ID-19.

use serde_json::json;

use super::super::scene::*;
use super::jwt_of;
use crate::format::Check;
use crate::kinds::same_id::ids;
use crate::kinds::spiffe_id::text;

pub(super) fn checks() -> Vec<Check> {
    vec![length(), issued_length()]
}

/// An ID of `example.org` that is so many bytes long.
fn long(bytes: usize) -> String {
    let start = "spiffe://example.org/";
    format!("{start}{}", "a".repeat(bytes.saturating_sub(start.len())))
}

fn length() -> Check {
    let id = long(2048);
    Check::new("ID-18", "SPIFFE-ID.md §2.3", "IDs of up to 2048 bytes work everywhere")
        .yields("read", text(&id), json!({ "id": id }), "2048 bytes are allowed")
        .yields("in a certificate", directly(&leaf_of(&id)), json!({ "id": id }), "2048 bytes are allowed")
        .yields("in a token", jwt_of(&id), json!({ "id": id }), "2048 bytes are allowed")
        .yields("issued", issue(&[&id]).into(), json!({ "uris": [id] }), "2048 bytes are allowed")
        .refuses("cut off", ids(&id, &long(2047)), "it is not cut off")
}

fn issued_length() -> Check {
    Check::new("ID-19", "SPIFFE-ID.md §2.3", "an issuer makes no ID of more than 2048 bytes")
        .accepts("2048 bytes", issue(&[&long(2048)]).into(), "it is as long as IDs get")
        .refuses("2049 bytes", issue(&[&long(2049)]).into(), "it is one byte too long")
}

//! Entries in a file of JSON, as `entry create -data` and `entry update -data` take them: `{"entries": [{…}, …]}`,
//! with the names of SPIRE's stored entries. As in SPIRE the case of a name does not matter, and what is not known is
//! left out; we say so.

use proto::spire::api::types::entry::AdditionalAttributes;
use proto::spire::api::types::{Entry, Selector};
use serde_json::Value;

use crate::document::{Object, each};

/// The entries of a document, and remarks about what in it was left out.
pub(super) fn entries(document: &[u8]) -> Result<(Vec<Entry>, Vec<String>), String> {
    let document: Value = serde_json::from_slice(document).map_err(|e| format!("it is not JSON: {e}"))?;
    let mut remarks = Vec::new();
    let mut top = Object::new("", &document, &mut remarks)?;
    let list = top.take("entries").ok_or_else(|| {
        "it has no \"entries\"; write {\"entries\": [{\"spiffe_id\": …, \"parent_id\": …, \"selectors\": …}]}".to_owned()
    })?;
    top.finish();
    let entries = each("entries", list, |place, value| entry(place, value, &mut remarks))?;
    Ok((entries, remarks))
}

/// The IDs of a document `{"ids": […]}`, as `entry delete -file` takes it.
pub(super) fn ids(document: &[u8]) -> Result<Vec<String>, String> {
    let document: Value = serde_json::from_slice(document).map_err(|e| format!("it is not JSON: {e}"))?;
    let mut remarks = Vec::new();
    let mut top = Object::new("", &document, &mut remarks)?;
    top.texts("ids").and_then(|ids| {
        if ids.is_empty() {
            Err("it has no \"ids\"; write {\"ids\": [\"…\", \"…\"]}".to_owned())
        } else {
            Ok(ids)
        }
    })
}

fn entry(place: &str, value: &Value, remarks: &mut Vec<String>) -> Result<Entry, String> {
    let mut object = Object::new(place, value, remarks)?;
    let spiffe_id = object.id("spiffe_id")?;
    let parent_id = object.id("parent_id")?;
    let mut entry = Entry {
        id: object.text("entry_id")?,
        spiffe_id: Some(spiffe_id),
        parent_id: Some(parent_id),
        selectors: Vec::new(),
        x509_svid_ttl: object.integer("x509_svid_ttl")?,
        federates_with: object.trust_domains("federates_with")?,
        admin: object.boolean("admin")?,
        downstream: object.boolean("downstream")?,
        expires_at: object.integer("entryExpiry")?,
        dns_names: object.texts("dns_names")?,
        revision_number: object.integer("revision_number")?,
        store_svid: object.boolean("store_svid")?,
        jwt_svid_ttl: object.integer("jwt_svid_ttl")?,
        hint: object.text("hint")?,
        created_at: object.integer("created_at")?,
        additional_attributes: None,
    };
    let selectors = object.take("selectors");
    let attributes = object.take("additional_attributes");
    object.finish();

    if let Some(list) = selectors {
        let at = format!("{place}.selectors");
        entry.selectors = each(&at, list, |place, value| selector(place, value, remarks))?;
    }
    if let Some(value) = attributes {
        let mut object = Object::new(&format!("{place}.additional_attributes"), value, remarks)?;
        entry.additional_attributes = Some(AdditionalAttributes {
            disable_x509_svid_prefetch: object.boolean("disable_x509_svid_prefetch")?,
            jwt_svid_include_jti: object.boolean("jwt_svid_include_jti")?,
        });
        object.finish();
    }
    Ok(entry)
}

fn selector(place: &str, value: &Value, remarks: &mut Vec<String>) -> Result<Selector, String> {
    let mut object = Object::new(place, value, remarks)?;
    let selector = Selector { r#type: object.text("type")?, value: object.text("value")? };
    object.finish();
    Ok(selector)
}

#[cfg(test)]
mod tests;

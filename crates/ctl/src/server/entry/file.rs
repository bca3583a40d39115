//! Entries in a file of JSON, as `entry create -data` and `entry update -data` take them: `{"entries": [{…}, …]}`,
//! with the names of SPIRE's stored entries. As in SPIRE the case of a name does not matter, and what is not known is
//! left out; we say so.

use proto::spire::api::types::entry::AdditionalAttributes;
use proto::spire::api::types::{Entry, Selector, Spiffeid};
use serde_json::{Map, Value};

use crate::parse;

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

fn each<T>(
    place: &str,
    list: &Value,
    mut read: impl FnMut(&str, &Value) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let list = list.as_array().ok_or_else(|| format!("{place} is no list"))?;
    list.iter().enumerate().map(|(at, value)| read(&format!("{place}[{at}]"), value)).collect()
}

/// An object that is read name by name.
struct Object<'a, 'r> {
    place: String,
    left: Map<String, Value>,
    members: &'a Map<String, Value>,
    remarks: &'r mut Vec<String>,
}

impl<'a, 'r> Object<'a, 'r> {
    fn new(place: &str, value: &'a Value, remarks: &'r mut Vec<String>) -> Result<Self, String> {
        let named = if place.is_empty() { "the document" } else { place };
        let members = value.as_object().ok_or_else(|| format!("{named} is no object"))?;
        Ok(Self { place: place.to_owned(), left: members.clone(), members, remarks })
    }

    /// The value of that name in any case; null is as good as nothing.
    fn take(&mut self, name: &str) -> Option<&'a Value> {
        let key = self.members.keys().find(|key| key.eq_ignore_ascii_case(name))?;
        self.left.remove(key);
        self.members.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&self, name: &str, what: &str) -> String {
        format!("{}.{name} {what}", self.place).trim_start_matches('.').to_owned()
    }

    fn text(&mut self, name: &str) -> Result<String, String> {
        let Some(value) = self.take(name) else { return Ok(String::new()) };
        value.as_str().map(str::to_owned).ok_or_else(|| self.wrong(name, "is no text"))
    }

    fn texts(&mut self, name: &str) -> Result<Vec<String>, String> {
        let Some(value) = self.take(name) else { return Ok(Vec::new()) };
        let texts = value.as_array().and_then(|list| {
            list.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        texts.ok_or_else(|| self.wrong(name, "is no list of texts"))
    }

    fn boolean(&mut self, name: &str) -> Result<bool, String> {
        let Some(value) = self.take(name) else { return Ok(false) };
        value.as_bool().ok_or_else(|| self.wrong(name, "is neither true nor false"))
    }

    fn integer<N: TryFrom<i64> + Default>(&mut self, name: &str) -> Result<N, String> {
        let Some(value) = self.take(name) else { return Ok(N::default()) };
        value
            .as_i64()
            .and_then(|number| N::try_from(number).ok())
            .ok_or_else(|| self.wrong(name, "is no whole number, or too large"))
    }

    fn id(&mut self, name: &'static str) -> Result<Spiffeid, String> {
        let text = self.text(name)?;
        if text.is_empty() {
            return Err(self.wrong(name, "is missing"));
        }
        parse::id("SPIFFE ID", &text)
            .map(|id| parse::message(&id))
            .map_err(|e| self.wrong(name, &format!("is wrong: {e}")))
    }

    fn trust_domains(&mut self, name: &str) -> Result<Vec<String>, String> {
        self.texts(name)?
            .iter()
            .map(|text| parse::trust_domain(text).map(|domain| domain.as_str().to_owned()))
            .collect::<Result<_, _>>()
            .map_err(|e| self.wrong(name, &format!("is wrong: {e}")))
    }

    /// Remarks on what nobody asked for.
    fn finish(self) {
        for key in self.left.keys() {
            let place = format!("{}.{key}", self.place);
            self.remarks.push(format!("{} is not known and was left out", place.trim_start_matches('.')));
        }
    }
}

#[cfg(test)]
mod tests;

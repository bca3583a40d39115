//! Documents of JSON that commands read: member by member, with the place of each mistake. As in Go, the case of a name
//! does not matter.

use proto::spire::api::types::Spiffeid;
use serde_json::{Map, Value};

use crate::parse;

/// What `read` makes of each member of a list; `place` is what the list is called.
pub(crate) fn each<T>(
    place: &str,
    list: &Value,
    mut read: impl FnMut(&str, &Value) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let list = list.as_array().ok_or_else(|| format!("{place} is no list"))?;
    list.iter().enumerate().map(|(at, value)| read(&format!("{place}[{at}]"), value)).collect()
}

/// An object that is read name by name.
pub(crate) struct Object<'a, 'r> {
    place: String,
    left: Map<String, Value>,
    members: &'a Map<String, Value>,
    remarks: &'r mut Vec<String>,
}

impl<'a, 'r> Object<'a, 'r> {
    /// The object that a value is, at a place; `remarks` gets what was left out.
    pub(crate) fn new(place: &str, value: &'a Value, remarks: &'r mut Vec<String>) -> Result<Self, String> {
        let named = if place.is_empty() { "the document" } else { place };
        let members = value.as_object().ok_or_else(|| format!("{named} is no object"))?;
        Ok(Self { place: place.to_owned(), left: members.clone(), members, remarks })
    }

    /// The value of that name in any case; null is as good as nothing.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'a Value> {
        let key = self.members.keys().find(|key| key.eq_ignore_ascii_case(name))?;
        self.left.remove(key);
        self.members.get(key).filter(|value| !value.is_null())
    }

    /// What is wrong with a member.
    pub(crate) fn wrong(&self, name: &str, what: &str) -> String {
        format!("{}.{name} {what}", self.place).trim_start_matches('.').to_owned()
    }

    /// A text, empty where there is none.
    pub(crate) fn text(&mut self, name: &str) -> Result<String, String> {
        let Some(value) = self.take(name) else { return Ok(String::new()) };
        value.as_str().map(str::to_owned).ok_or_else(|| self.wrong(name, "is no text"))
    }

    /// A list of texts, empty where there is none.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>, String> {
        let Some(value) = self.take(name) else { return Ok(Vec::new()) };
        let texts = value.as_array().and_then(|list| {
            list.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        texts.ok_or_else(|| self.wrong(name, "is no list of texts"))
    }

    /// A switch, off where there is none.
    pub(crate) fn boolean(&mut self, name: &str) -> Result<bool, String> {
        let Some(value) = self.take(name) else { return Ok(false) };
        value.as_bool().ok_or_else(|| self.wrong(name, "is neither true nor false"))
    }

    /// A whole number, zero where there is none.
    pub(crate) fn integer<N: TryFrom<i64> + Default>(&mut self, name: &str) -> Result<N, String> {
        let Some(value) = self.take(name) else { return Ok(N::default()) };
        value
            .as_i64()
            .and_then(|number| N::try_from(number).ok())
            .ok_or_else(|| self.wrong(name, "is no whole number, or too large"))
    }

    /// A SPIFFE ID that must be there.
    pub(crate) fn id(&mut self, name: &'static str) -> Result<Spiffeid, String> {
        let text = self.text(name)?;
        if text.is_empty() {
            return Err(self.wrong(name, "is missing"));
        }
        parse::id("SPIFFE ID", &text)
            .map(|id| parse::message(&id))
            .map_err(|e| self.wrong(name, &format!("is wrong: {e}")))
    }

    /// Trust domains, by name or ID.
    pub(crate) fn trust_domains(&mut self, name: &str) -> Result<Vec<String>, String> {
        self.texts(name)?
            .iter()
            .map(|text| parse::trust_domain(text).map(|domain| domain.as_str().to_owned()))
            .collect::<Result<_, _>>()
            .map_err(|e| self.wrong(name, &format!("is wrong: {e}")))
    }

    /// Remarks on what nobody asked for.
    pub(crate) fn finish(self) {
        for key in self.left.keys() {
            let place = format!("{}.{key}", self.place);
            self.remarks.push(format!("{} is not known and was left out", place.trim_start_matches('.')));
        }
    }
}

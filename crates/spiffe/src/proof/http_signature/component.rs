//! What a signature covers (RFC 9421 §2).

use std::fmt;

use sfv::{BareItem, FieldType, Item, KeyRef, Parameters, StringRef};

use super::SignatureError;
use crate::proof::http::Fields;

/// A component of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Component {
    /// In lower case; that of a derived component begins with `@`.
    pub(super) name: String,
    /// Of the request that a response belongs to (RFC 9421 §2.4).
    pub(super) of_request: bool,
}

/// Where the values of components come from.
pub(super) struct Parts<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    pub(super) request_fields: Fields<'a>,
    /// Status and fields of the response, where that is the message.
    pub(super) response: Option<(u16, Fields<'a>)>,
}

impl Component {
    pub(super) fn own(name: &str) -> Self {
        Self { name: name.to_ascii_lowercase(), of_request: false }
    }

    pub(super) fn of_request(name: &str) -> Self {
        Self { name: name.to_ascii_lowercase(), of_request: true }
    }

    /// From its identifier.
    pub(super) fn read(item: &Item) -> Result<Self, SignatureError> {
        let unknown = || SignatureError::Component(item.serialize());
        let BareItem::String(name) = &item.bare_item else { return Err(unknown()) };
        let name = name.as_str();
        let of_request = match item.params.len() {
            0 => false,
            1 if item.params.get("req") == Some(&BareItem::Boolean(true)) => true,
            _ => return Err(unknown()),
        };
        let known = match name.strip_prefix('@') {
            Some(_) => ["@method", "@request-target", "@status"].contains(&name),
            None => !name.is_empty() && name.bytes().all(is_lower_token),
        };
        if known { Ok(Self { name: name.to_owned(), of_request }) } else { Err(unknown()) }
    }

    /// Its identifier.
    pub(super) fn item(&self) -> Result<Item, SignatureError> {
        let unknown = |_| SignatureError::Component(self.name.clone());
        let name = StringRef::from_str(&self.name).map_err(unknown)?;
        let mut params = Parameters::new();
        if self.of_request {
            params.insert(KeyRef::from_str("req").map_err(unknown)?.to_owned(), true.into());
        }
        Ok(Item::with_params(BareItem::String(name.to_owned()), params))
    }

    /// Its value in a message (RFC 9421 §2.1, §2.2).
    pub(super) fn value(&self, parts: &Parts<'_>) -> Result<String, SignatureError> {
        let absent = || SignatureError::Absent(self.to_string());
        let in_request = match (&parts.response, self.of_request) {
            (None, false) | (Some(_), true) => true,
            (Some(_), false) => false,
            (None, true) => return Err(absent()),
        };
        match (self.name.as_str(), in_request) {
            ("@method", true) => Ok(parts.method.to_owned()),
            ("@request-target", true) => Ok(parts.target.to_owned()),
            ("@status", false) => parts.response.map(|(status, _)| status.to_string()).ok_or_else(absent),
            (name, _) if name.starts_with('@') => Err(absent()),
            (name, true) => combined(parts.request_fields, name).ok_or_else(absent),
            (name, false) => parts.response.and_then(|(_, all)| combined(all, name)).ok_or_else(absent),
        }
    }
}

/// All fields of that name as one value; `None` if there is none.
pub(super) fn combined(fields: Fields<'_>, name: &str) -> Option<String> {
    let all: Vec<&str> = fields.all(name).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn is_lower_token(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&b)
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_request = if self.of_request { ";req" } else { "" };
        write!(f, "\"{}\"{of_request}", self.name)
    }
}

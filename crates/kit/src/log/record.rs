//! A line before it is printed: its level, its message and its fields.

use std::error::Error;
use std::fmt;
use std::fmt::Write as _;
use std::time::SystemTime;

use tracing::field::{Field, Visit};

use super::level::Level;

/// The field whose value is a JSON object of further fields, for names that are known only when they come: what another
/// program logs, through us.
pub const MORE: &str = "log.more";

/// What a line will say.
pub(super) struct Record {
    pub(super) time: SystemTime,
    pub(super) level: Level,
    pub(super) fields: Fields,
}

/// A field's value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Signed(value) => write!(f, "{value}"),
            Self::Unsigned(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
        }
    }
}

/// Fields by name; a later value replaces an earlier one.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    pub(super) message: String,
    named: Vec<(String, Value)>,
}

impl Fields {
    pub(super) fn set(&mut self, name: &str, value: Value) {
        let name = name.strip_prefix("r#").unwrap_or(name);
        match name {
            "message" => self.message = value.to_string(),
            MORE => self.more(&value.to_string()),
            // As in logrus, a field does not replace a line's own parts.
            "time" | "level" | "msg" | "logrus_error" => self.insert(&format!("fields.{name}"), value),
            _ => self.insert(name, value),
        }
    }

    /// Takes the fields out of a JSON object. Text that is none stays as it is.
    fn more(&mut self, text: &str) {
        let Ok(serde_json::Value::Object(more)) = serde_json::from_str(text) else {
            return self.insert(MORE, Value::Text(text.to_owned()));
        };
        for (name, value) in more {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.set(&name, Value::Text(value));
        }
    }

    fn insert(&mut self, name: &str, value: Value) {
        match self.named.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.named.push((name.to_owned(), value)),
        }
    }

    /// Takes over the fields of a span, but not its message.
    pub(super) fn inherit(&mut self, outer: &Self) {
        for (name, value) in &outer.named {
            self.insert(name, value.clone());
        }
    }

    /// The fields, sorted by name.
    pub(super) fn sorted(&self) -> Vec<(&str, &Value)> {
        let mut sorted: Vec<_> = self.named.iter().map(|(name, value)| (name.as_str(), value)).collect();
        sorted.sort_by_key(|(name, _)| *name);
        sorted
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), Value::Float(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), Value::Signed(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), Value::Unsigned(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), Value::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), Value::Text(value.to_owned()));
    }

    /// An error is printed with its causes.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(inner) = cause {
            let _ = write!(text, ": {inner}");
            cause = inner.source();
        }
        self.set(field.name(), Value::Text(text));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field.name(), Value::Text(format!("{value:?}")));
    }
}

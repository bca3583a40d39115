//! A line as JSON, keys sorted, as Go's encoder writes it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::record::{Record, Value};
use super::text::timestamp;

/// The line without its end.
pub(super) fn print(record: &Record) -> String {
    let mut line: BTreeMap<&str, Json> =
        record.fields.sorted().into_iter().map(|(name, value)| (name, json(value))).collect();
    line.insert("time", Json::String(timestamp(record.time, true)));
    line.insert("level", Json::String(record.level.to_string()));
    line.insert("msg", Json::String(record.fields.message.clone()));
    escape_html(&serde_json::to_string(&line).unwrap_or_default())
}

fn json(value: &Value) -> Json {
    match value {
        Value::Text(text) => Json::String(text.clone()),
        Value::Bool(value) => Json::Bool(*value),
        Value::Signed(value) => Json::from(*value),
        Value::Unsigned(value) => Json::from(*value),
        // What JSON cannot say as a number is said as text.
        Value::Float(value) => {
            serde_json::Number::from_f64(*value).map_or_else(|| Json::String(value.to_string()), Json::Number)
        }
    }
}

/// Go's encoder escapes what could end a script element; these stand within strings only.
fn escape_html(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

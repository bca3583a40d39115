//! Messages in protobuf's JSON form: names of the `.proto` files, zero values included, absent messages left out,
//! 64-bit numbers as strings, bytes in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

mod agents;
mod authority;
mod bundle;
mod debug;
mod entry;
mod federation;
mod logger;
mod svid;
mod workload;

/// A message that can be printed as JSON.
pub(crate) trait ToJson {
    /// The message in JSON form.
    fn to_json(&self) -> Value;
}

impl ToJson for () {
    /// `google.protobuf.Empty`.
    fn to_json(&self) -> Value {
        json!({})
    }
}

/// Several messages.
fn list<T: ToJson>(messages: &[T]) -> Value {
    messages.iter().map(ToJson::to_json).collect()
}

/// A number that JSON's own cannot hold.
fn long(number: impl ToString) -> Value {
    Value::String(number.to_string())
}

/// Bytes.
pub(crate) fn bytes(bytes: &[u8]) -> Value {
    Value::String(STANDARD.encode(bytes))
}

/// An object whose absent messages are left out.
fn present(mut object: Value) -> Value {
    if let Value::Object(members) = &mut object {
        members.retain(|_, value| !value.is_null());
    }
    object
}

/// A message that may be absent.
fn maybe<T: ToJson>(message: Option<&T>) -> Value {
    message.map_or(Value::Null, ToJson::to_json)
}

/// A map from names to bytes.
fn bytes_by_name<'a>(map: impl IntoIterator<Item = (&'a String, &'a Vec<u8>)>) -> Value {
    Value::Object(map.into_iter().map(|(name, value)| (name.clone(), bytes(value))).collect::<Map<_, _>>())
}

/// A `google.protobuf.Struct`.
pub(crate) fn structure(structure: &prost_types::Struct) -> Value {
    Value::Object(structure.fields.iter().map(|(name, value)| (name.clone(), dynamic(value))).collect())
}

fn dynamic(value: &prost_types::Value) -> Value {
    use prost_types::value::Kind;
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => Value::Bool(*value),
        Some(Kind::NumberValue(number)) => numeric(*number),
        Some(Kind::StringValue(text)) => Value::String(text.clone()),
        Some(Kind::StructValue(inner)) => structure(inner),
        Some(Kind::ListValue(values)) => values.values.iter().map(dynamic).collect(),
    }
}

/// A number without a fraction where it has none: times are whole seconds, and read badly with `.0`.
fn numeric(number: f64) -> Value {
    // Up to here every whole number is exactly itself.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
        return json!(number as i64);
    }
    json!(number)
}

#[cfg(test)]
mod tests;

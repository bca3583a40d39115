//! A token's claims as ValidateJWTSVID returns them.

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde_json::{Map, Value as Json};

/// All claims, or of a token from elsewhere those that may be seen. The audience is a list, whatever the token says.
pub(super) fn returned(claims: &Map<String, Json>, foreign: bool, allowed: &[String]) -> Struct {
    let may = |name: &str| {
        !foreign || matches!(name, "sub" | "exp" | "aud") || allowed.iter().any(|one| one == name)
    };
    let fields = claims.iter().filter(|(name, _)| may(name));
    Struct { fields: fields.map(|(name, value)| (name.clone(), claim(name, value))).collect() }
}

fn claim(name: &str, json: &Json) -> Value {
    match (name, json) {
        ("aud", Json::String(_)) => kind(Kind::ListValue(ListValue { values: vec![value(json)] })),
        _ => value(json),
    }
}

fn value(json: &Json) -> Value {
    kind(match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(yes) => Kind::BoolValue(*yes),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Json::String(text) => Kind::StringValue(text.clone()),
        Json::Array(all) => Kind::ListValue(ListValue { values: all.iter().map(value).collect() }),
        Json::Object(all) => Kind::StructValue(Struct {
            fields: all.iter().map(|(name, one)| (name.clone(), value(one))).collect(),
        }),
    })
}

fn kind(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Map<String, Json> {
        let json = serde_json::json!({"sub": "spiffe://a/b", "aud": "x", "exp": 7, "iss": "me", "deep": {"a": [1, null]}});
        json.as_object().cloned().unwrap()
    }

    #[test]
    fn a_single_audience_becomes_a_list() {
        let aud = &returned(&claims(), false, &[]).fields["aud"];
        assert_eq!(
            aud,
            &kind(Kind::ListValue(ListValue { values: vec![kind(Kind::StringValue("x".into()))] }))
        );
    }

    #[test]
    fn claims_from_elsewhere_are_filtered() {
        let names = |foreign, allowed: &[String]| -> Vec<String> {
            returned(&claims(), foreign, allowed).fields.into_keys().collect()
        };
        assert_eq!(names(false, &[]).len(), 5);
        assert_eq!(names(true, &[]), ["aud", "exp", "sub"]);
        assert_eq!(names(true, &["iss".to_owned()]), ["aud", "exp", "iss", "sub"]);
    }
}

//! JSON objects whose members have different names. Of a name that occurs twice, verifiers take different ones; a
//! document that has one is refused instead.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value};

struct Distinct(Map<String, Value>);

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Distinct;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Distinct, A::Error> {
                let mut object = Map::new();
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
                    put(&mut object, name, value)?;
                }
                Ok(Distinct(object))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

fn put<E: Error>(object: &mut Map<String, Value>, name: String, value: Value) -> Result<(), E> {
    match object.entry(name) {
        Entry::Vacant(place) => drop(place.insert(value)),
        Entry::Occupied(known) => {
            return Err(E::custom(format_args!("member {:?} occurs twice", known.key())));
        }
    }
    Ok(())
}

/// The object that the whole of `text` is; its own members, not those of its members, are held apart. serde_json
/// refuses more than 128 levels.
pub(crate) fn object(text: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_slice::<Distinct>(text).map(|distinct| distinct.0)
}

/// As [`object`], and the members of its members are held apart too, at any depth.
pub(crate) fn object_throughout(text: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    match serde_json::from_slice::<Throughout>(text)?.0 {
        Value::Object(members) => Ok(members),
        _ => Err(serde_json::Error::custom("it is no object")),
    }
}

/// A value without an object in it that names a member twice.
struct Throughout(Value);

impl<'de> Deserialize<'de> for Throughout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Throughout;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Throughout, A::Error> {
                let mut object = Map::new();
                while let Some((name, value)) = members.next_entry::<String, Throughout>()? {
                    put(&mut object, name, value.0)?;
                }
                Ok(Throughout(Value::Object(object)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Throughout, A::Error> {
                let mut list = Vec::new();
                while let Some(element) = elements.next_element::<Throughout>()? {
                    list.push(element.0);
                }
                Ok(Throughout(Value::Array(list)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Throughout, E> {
                Ok(Throughout(text.into()))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Throughout, E> {
                Ok(Throughout(value.into()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Throughout, E> {
                Ok(Throughout(number.into()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Throughout, E> {
                Ok(Throughout(number.into()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Throughout, E> {
                Ok(Throughout(number.into()))
            }

            fn visit_unit<E: Error>(self) -> Result<Throughout, E> {
                Ok(Throughout(Value::Null))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::{object, object_throughout};

    #[test]
    fn a_name_may_occur_once_at_any_depth() {
        let text = br#"{"a":[{"b":null,"c":[true,-1,2,1.5,"x"]}],"b":{}}"#;
        assert_eq!(object_throughout(text).unwrap(), object(text).unwrap());
        for bad in [r#"{"b":{"a":2,"a":3}}"#, r#"{"b":[{"a":2,"\u0061":3}]}"#, "[]", "1", "{} {}"] {
            assert!(object_throughout(bad.as_bytes()).is_err(), "{bad}");
        }
        let deep = format!("{}{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
        assert!(object_throughout(deep.as_bytes()).is_err());
    }

    #[test]
    fn a_name_may_occur_once() {
        assert_eq!(object(br#"{"a":1,"b":{"a":2,"a":3}}"#).unwrap().len(), 2);
        for bad in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, "[]", "{", "{} {}"] {
            assert!(object(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}

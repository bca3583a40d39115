//! JSON objects whose members have different names. Of a name that occurs twice, verifiers take different ones; a
//! document that has one is refused instead.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
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
                    if object.contains_key(&name) {
                        return Err(A::Error::custom(format_args!("member {name:?} occurs twice")));
                    }
                    object.insert(name, value);
                }
                Ok(Distinct(object))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// The object that the whole of `text` is; its own members, not those of its members, are held apart. serde_json
/// refuses more than 128 levels.
pub(crate) fn object(text: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_slice::<Distinct>(text).map(|distinct| distinct.0)
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn a_name_may_occur_once() {
        assert_eq!(object(br#"{"a":1,"b":{"a":2,"a":3}}"#).unwrap().len(), 2);
        for bad in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, "[]", "{", "{} {}"] {
            assert!(object(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}

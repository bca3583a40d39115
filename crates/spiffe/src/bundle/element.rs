//! The JSON of bundle documents, read within bounds: of a key only what may matter is kept, and a key that is not as it
//! should be spoils no other.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The most elements of all lists of keys of one text.
pub(super) const MAX_KEYS: usize = 32_768;
/// The most members of one document.
const MAX_MEMBERS: usize = 1_000;

/// The members of a JWK that are looked at, the secret ones for being there at all (RFC 7518 §6.2.2, §6.3.2, §6.4).
const MEMBERS: [&str; 18] = [
    "use", "kid", "kty", "alg", "crv", "x", "y", "n", "e", "x5c", "d", "p", "q", "dp", "dq", "qi", "oth", "k",
];

/// The visits of what is neither text nor list nor object.
macro_rules! others {
    ($outcome:expr) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any value")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($outcome)
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($outcome)
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($outcome)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($outcome)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($outcome)
        }
    };
}

/// One element of `keys`.
pub(super) enum Element {
    /// An object, with those of its members that matter. What is no text is null, and of `x5c` there is the first.
    Jwk(Map<String, Value>),
    /// An object in which this member occurs twice, so that readers differ on what it says.
    Twice(&'static str),
    /// Something else.
    Other,
}

/// A bundle document as it was written.
#[derive(Default)]
pub(super) struct Document {
    pub(super) keys: Option<Vec<Element>>,
    pub(super) sequence: Number,
    pub(super) hint: Number,
}

/// What stands where a whole number should.
#[derive(Default, Clone, Copy)]
pub(super) enum Number {
    #[default]
    Missing,
    Positive(u64),
    Negative,
    Other,
}

/// Reads a [`Document`], counting its keys down.
pub(super) struct OfDocument<'a>(pub(super) &'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for OfDocument<'_> {
    type Value = Document;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Document, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OfDocument<'_> {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Document, A::Error> {
        let (mut document, mut names) = (Document::default(), Names::default());
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "keys" => document.keys = members.next_value_seed(OfKeys(self.0))?,
                "spiffe_sequence" => document.sequence = members.next_value_seed(OfNumber)?,
                "spiffe_refresh_hint" => document.hint = members.next_value_seed(OfNumber)?,
                _ => members.next_value::<IgnoredAny>().map(|_| ())?,
            }
            names.add(name, MAX_MEMBERS)?;
        }
        Ok(document)
    }
}

/// The names of an object's members, each of which may occur once.
#[derive(Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    pub(super) fn add<E: Error>(&mut self, name: String, most: usize) -> Result<(), E> {
        if self.0.contains(&name) {
            return Err(E::custom(format_args!("member {name:?} occurs twice")));
        }
        if self.0.len() == most {
            return Err(E::custom(format_args!("an object has more than {most} members")));
        }
        self.0.insert(name);
        Ok(())
    }
}

/// The list of keys; nothing where something else is.
struct OfKeys<'a>(&'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for OfKeys<'_> {
    type Value = Option<Vec<Element>>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OfKeys<'_> {
    type Value = Option<Vec<Element>>;

    others!(None);

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut keys = Vec::new();
        while let Some(element) = list.next_element_seed(OfElement)? {
            let left = self.0.get().checked_sub(1);
            self.0.set(left.ok_or_else(|| A::Error::custom(format_args!("more than {MAX_KEYS} keys")))?);
            keys.push(element);
        }
        Ok(Some(keys))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        drain(members).map(|()| None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }
}

struct OfElement;

impl<'de> DeserializeSeed<'de> for OfElement {
    type Value = Element;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Element, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OfElement {
    type Value = Element;

    others!(Element::Other);

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Element, A::Error> {
        let (mut jwk, mut twice) = (Map::new(), None);
        while let Some(name) = members.next_key::<String>()? {
            let Some(known) = MEMBERS.into_iter().find(|known| *known == name) else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = members.next_value_seed(OfMember)?;
            if jwk.insert(name, value).is_some() {
                twice = twice.or(Some(known));
            }
        }
        Ok(twice.map_or(Element::Jwk(jwk), Element::Twice))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Element, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Element::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Element, E> {
        Ok(Element::Other)
    }
}

/// A text; of a list its first element, in a list; otherwise null.
struct OfMember;

impl<'de> DeserializeSeed<'de> for OfMember {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OfMember {
    type Value = Value;

    others!(Value::Null);

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        // A list in a list is not read further: its depth is not ours.
        let first = list.next_element_seed(OfText)?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Array(first.into_iter().collect()))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Value, A::Error> {
        drain(members).map(|()| Value::Null)
    }
}

/// A text, or null.
struct OfText;

impl<'de> DeserializeSeed<'de> for OfText {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OfText {
    type Value = Value;

    others!(Value::Null);

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Value, A::Error> {
        drain(members).map(|()| Value::Null)
    }
}

struct OfNumber;

impl<'de> DeserializeSeed<'de> for OfNumber {
    type Value = Number;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Number, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OfNumber {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
        Ok(Number::Positive(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Number, E> {
        Ok(Number::Negative)
    }

    fn visit_unit<E>(self) -> Result<Number, E> {
        Ok(Number::Missing)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Number, E> {
        Ok(Number::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Number, E> {
        Ok(Number::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Number, E> {
        Ok(Number::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Number, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Number::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Number, A::Error> {
        drain(members).map(|()| Number::Other)
    }
}

fn drain<'de, A: MapAccess<'de>>(mut members: A) -> Result<(), A::Error> {
    while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

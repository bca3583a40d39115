//! Bytes in JSON, as Go's `encoding/json` prints them: in base64.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::Serializer;

/// Bytes, base64 in JSON; `null` is no byte.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl serde::Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(from)?.unwrap_or_default();
        BASE64_STANDARD.decode(text.as_bytes()).map(Self).map_err(D::Error::custom)
    }
}

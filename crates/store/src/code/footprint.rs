//! What a change tells of the row before and after.

use model::Footprint;
use prost::Message;

use super::CodeError;
use super::selectors::{StoredSelector, selectors_of, stored_selectors};
use super::text::id_of;

#[derive(Clone, PartialEq, Message)]
struct StoredFootprint {
    #[prost(string, optional, tag = "1")]
    spiffe_id: Option<String>,
    #[prost(string, optional, tag = "2")]
    parent_id: Option<String>,
    #[prost(message, repeated, tag = "3")]
    selectors: Vec<StoredSelector>,
}

pub(crate) fn footprint_bytes(footprint: &Footprint) -> Vec<u8> {
    StoredFootprint {
        spiffe_id: footprint.spiffe_id.as_ref().map(|id| id.as_str().to_owned()),
        parent_id: footprint.parent_id.as_ref().map(|id| id.as_str().to_owned()),
        selectors: stored_selectors(&footprint.selectors),
    }
    .encode_to_vec()
}

pub(crate) fn footprint_of(bytes: &[u8]) -> Result<Footprint, CodeError> {
    let stored = StoredFootprint::decode(bytes)?;
    Ok(Footprint {
        spiffe_id: stored.spiffe_id.map(|id| id_of("spiffe_id", &id)).transpose()?,
        parent_id: stored.parent_id.map(|id| id_of("parent_id", &id)).transpose()?,
        selectors: selectors_of(&stored.selectors)?,
    })
}

//! Selector sets.

use model::{Selector, Selectors};

use super::CodeError;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredSelector {
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(string, tag = "2")]
    value: String,
}

pub(super) fn stored_selectors(all: &Selectors) -> Vec<StoredSelector> {
    all.iter().map(|s| StoredSelector { kind: s.kind().to_owned(), value: s.value().to_owned() }).collect()
}

pub(super) fn selectors_of(stored: &[StoredSelector]) -> Result<Selectors, CodeError> {
    let one = |s: &StoredSelector| {
        Selector::new(&s.kind, &s.value).map_err(|why| CodeError::field("selector", why))
    };
    stored.iter().map(one).collect()
}

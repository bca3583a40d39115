//! Things for tests.

use model::{Selector, Selectors};
use spiffe::SpiffeId;

use super::Entry;

pub(crate) fn selectors(all: &[&str]) -> Selectors {
    all.iter().map(|one| Selector::parse(one).unwrap()).collect()
}

/// An entry of `example.org`.
pub(crate) fn entry(id: &str, path: &str, all: &[&str]) -> Entry {
    Entry {
        id: id.into(),
        spiffe_id: SpiffeId::parse(&format!("spiffe://example.org{path}")).unwrap(),
        selectors: selectors(all),
        federates_with: Vec::new(),
        hint: String::new(),
        revision: 0,
        created_at: 0,
        prefetch: true,
        jti: false,
        stored: false,
    }
}

//! What a sync brings.

use proto::spire::api::types;
use spiffe::TrustDomain;
use spiffe::bundle::Bundle;

/// Changes to what the node may use.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    /// New or changed entries.
    pub(crate) entries: Vec<types::Entry>,
    /// Ids of entries that are gone.
    pub(crate) deleted: Vec<String>,
    /// New or changed bundles.
    pub(crate) bundles: Vec<Bundle>,
    /// Trust domains whose bundles are gone.
    pub(crate) deleted_bundles: Vec<TrustDomain>,
}

//! A registration entry, as far as an agent needs it.

use std::sync::Arc;

use model::{Selector, SelectorError, Selectors};
use proto::spire::api::types;
use spiffe::{IdError, SpiffeId, TrustDomain};

/// A registration entry, as far as an agent needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: Arc<str>,
    pub(crate) spiffe_id: SpiffeId,
    pub(crate) selectors: Selectors,
    pub(crate) federates_with: Vec<TrustDomain>,
    pub(crate) hint: String,
    pub(crate) revision: i64,
    pub(crate) created_at: i64,
    /// Its SVID is fetched before a workload asks.
    pub(crate) prefetch: bool,
    /// Each of its JWT-SVIDs is a new one.
    pub(crate) jti: bool,
    /// Its SVID goes to a store, not to workloads.
    pub(crate) stored: bool,
}

/// Why an entry cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EntryFault {
    #[error("it has no SPIFFE ID")]
    NoId,
    #[error("its SPIFFE ID is malformed: {0}")]
    Id(IdError),
    #[error("a selector is malformed: {0}")]
    Selector(SelectorError),
    #[error("it has no selector")]
    NoSelector,
    #[error("it federates with {0:?}, which is no trust domain: {1}")]
    Federated(String, IdError),
}

impl Entry {
    /// Reads an entry off the wire.
    pub(crate) fn read(wire: &types::Entry) -> Result<Self, EntryFault> {
        let id = wire.spiffe_id.as_ref().ok_or(EntryFault::NoId)?;
        let selectors: Selectors = wire
            .selectors
            .iter()
            .map(|one| Selector::new(&one.r#type, &one.value))
            .collect::<Result<_, _>>()
            .map_err(EntryFault::Selector)?;
        if selectors.is_empty() {
            return Err(EntryFault::NoSelector);
        }
        let extra = wire.additional_attributes.as_ref();
        Ok(Self {
            id: wire.id.as_str().into(),
            spiffe_id: read_id(id).map_err(EntryFault::Id)?,
            selectors,
            federates_with: wire.federates_with.iter().map(|td| federated(td)).collect::<Result<_, _>>()?,
            hint: wire.hint.clone(),
            revision: wire.revision_number,
            created_at: wire.created_at,
            prefetch: !extra.is_some_and(|extra| extra.disable_x509_svid_prefetch),
            jti: extra.is_some_and(|extra| extra.jwt_svid_include_jti),
            stored: wire.store_svid,
        })
    }
}

fn read_id(wire: &types::Spiffeid) -> Result<SpiffeId, IdError> {
    SpiffeId::new(&TrustDomain::parse(&wire.trust_domain)?, &wire.path)
}

/// SPIRE's servers send names; an ID is understood too.
fn federated(text: &str) -> Result<TrustDomain, EntryFault> {
    let name = text.strip_prefix("spiffe://").unwrap_or(text);
    TrustDomain::parse(name).map_err(|cause| EntryFault::Federated(text.to_owned(), cause))
}

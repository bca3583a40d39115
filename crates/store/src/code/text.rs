//! Names as they are stored.

use spiffe::{SpiffeId, TrustDomain};

use super::CodeError;

pub(super) fn id_of(field: &'static str, text: &str) -> Result<SpiffeId, CodeError> {
    SpiffeId::parse(text).map_err(|why| CodeError::field(field, why))
}

pub(super) fn trust_domain_of(field: &'static str, text: &str) -> Result<TrustDomain, CodeError> {
    TrustDomain::parse(text).map_err(|why| CodeError::field(field, why))
}

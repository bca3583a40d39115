//! Changing a stored bundle, whoever else does so at the same time.

use model::{Expect, Write, WriteFault};
use spiffe::TrustDomain;
use spiffe::bundle::{Bundle, BundleError};

use crate::registry::{Registry, RegistryError};

/// How often the change is computed anew when another writer came first.
const ATTEMPTS: usize = 8;

/// Why a bundle was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AmendError<E: std::error::Error + 'static = BundleError> {
    /// The registry did not write it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The change does not fit the bundle, such as an authority that cannot be part of one.
    #[error(transparent)]
    Bundle(E),
    /// Others changed it each time before this change could be written.
    #[error("the bundle of {0} is being changed by others all the time; try again")]
    Contended(TrustDomain),
}

/// Writes what `change` makes of the bundle of `td` (of an empty one if none is stored) with the next sequence number,
/// together with `also`, all or nothing. If `change` says that it changed nothing, `also` is written alone. Returns the
/// bundle as it stands.
pub(crate) async fn amend<E: std::error::Error + 'static>(
    registry: &Registry,
    td: &TrustDomain,
    change: impl Fn(&mut Bundle) -> Result<bool, E> + Send + Sync,
    also: Vec<Write>,
) -> Result<Bundle, AmendError<E>> {
    for _ in 0..ATTEMPTS {
        let stored = registry.snapshot().bundle(td).cloned();
        let (expect, sequence) = match &stored {
            Some(bundle) => (Expect::Revision(bundle.sequence), bundle.sequence.saturating_add(1)),
            None => (Expect::Absent, 0),
        };
        let mut bundle = stored.as_deref().cloned().unwrap_or_else(|| Bundle::new(td.clone()));
        let mut writes = also.clone();
        if change(&mut bundle).map_err(AmendError::Bundle)? {
            bundle.sequence = sequence;
            writes.push(Write::PutBundle { bundle: bundle.clone(), expect });
        }
        let done = if writes.is_empty() { Ok(Vec::new()) } else { registry.write(Write::All(writes)).await };
        match done {
            Ok(_) => return Ok(bundle),
            Err(RegistryError::Refused(fault)) if overtaken(&fault) => registry.catch_up().await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(AmendError::Contended(td.clone()))
}

/// Whether the bundle is no longer the one that the change was computed from.
pub(crate) fn overtaken(fault: &WriteFault) -> bool {
    matches!(fault, WriteFault::Conflict(_) | WriteFault::Exists(_) | WriteFault::NotFound(_))
}

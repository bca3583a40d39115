//! The key of the agent's own SVID: two names in turn, so that the old key stands until the new SVID is there.

use std::sync::Arc;

use model::ports::{KeyError, KeyManager};
use spiffe::key::{KeyType, Signer};
use spiffe::x509::X509Svid;

const NAMES: [&str; 2] = ["agent-svid-A", "agent-svid-B"];

/// The key that an SVID was issued for, if it is held.
pub(crate) async fn of(keys: &dyn KeyManager, svid: &X509Svid) -> Result<Option<Arc<dyn Signer>>, KeyError> {
    match name_of(keys, svid).await? {
        Some(name) => keys.get(&name).await,
        None => Ok(None),
    }
}

/// A new key, under the name that the SVID in use does not need.
pub(crate) async fn next(
    keys: &dyn KeyManager,
    current: Option<&X509Svid>,
) -> Result<Arc<dyn Signer>, KeyError> {
    let taken = match current {
        Some(svid) => name_of(keys, svid).await?,
        None => None,
    };
    let [a, b] = NAMES;
    let name = if taken.as_deref() == Some(a) { b } else { a };
    keys.generate(name, KeyType::EcP256).await
}

/// Whether any is held.
pub(crate) async fn any(keys: &dyn KeyManager) -> Result<bool, KeyError> {
    Ok(keys.list().await?.iter().any(|(name, _)| NAMES.contains(&name.as_str())))
}

async fn name_of(keys: &dyn KeyManager, svid: &X509Svid) -> Result<Option<String>, KeyError> {
    let held = keys.list().await?;
    let fits = |key: &spiffe::key::PublicKey| key.spki_der() == svid.leaf().spki();
    Ok(held.into_iter().find(|(name, key)| NAMES.contains(&name.as_str()) && fits(key)).map(|(name, _)| name))
}

//! A registry belongs to one trust domain.

use model::Snapshot;
use spiffe::TrustDomain;

/// Why a server does not start on a registry.
#[derive(Debug, thiserror::Error)]
#[error(
    "a registration entry with trust domain '{found}' has been detected, which does not match the configured trust domain of '{configured}'. If you want to change the trust domain, please delete all existing registration entries"
)]
pub struct OtherDomain {
    /// The entry's.
    pub found: TrustDomain,
    /// The server's.
    pub configured: TrustDomain,
}

/// Refuses a registry whose entries are of another trust domain: nothing in it could be signed. Agents of another are
/// told of, since they attest again (SPIRE 1.16).
pub(crate) fn check(snapshot: &Snapshot, td: &TrustDomain) -> Result<(), OtherDomain> {
    if let Some(agent) = snapshot.agents_after(0).find(|agent| !agent.id.member_of(td)) {
        let found = agent.id.trust_domain();
        tracing::warn!(
            "An attested node with trust domain '{found}' has been detected, which does not match the configured trust \
             domain of '{td}'. Agents may need to be reconfigured to use new trust domain"
        );
    }
    match snapshot.entries_after(0).find(|entry| !entry.spiffe_id.member_of(td)) {
        None => Ok(()),
        Some(entry) => Err(OtherDomain { found: entry.spiffe_id.trust_domain(), configured: td.clone() }),
    }
}

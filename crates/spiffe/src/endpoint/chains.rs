//! Whether every bundle endpoint can be authenticated to begin with (Federation §5.2.2.2).

use std::collections::{BTreeMap, BTreeSet};

use super::bundle_endpoint::BundleEndpoint;
use crate::TrustDomain;

/// Endpoints that no one can be sure of: to fetch the bundle of the first, that of the second is needed, and so on, and
/// nothing begins the chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bundle of {} cannot be fetched before that of {}: give one of them to begin with", .trust_domain, list(.needs))]
pub struct Unanchored {
    /// Whose bundle cannot be fetched.
    pub trust_domain: TrustDomain,
    /// Whose bundles would be needed, one after the other.
    pub needs: Vec<TrustDomain>,
}

fn list(domains: &[TrustDomain]) -> String {
    domains.iter().map(TrustDomain::as_str).collect::<Vec<_>>().join(", then ")
}

/// Checks that each endpoint's peer can be authenticated: it is of the web, or the trust domain of its SVID has a bundle
/// (stored, or given to begin with), or an endpoint for which that is so. A circle without a bundle is found, and an
/// endpoint whose trust domain nothing is known of.
pub fn check_anchored(
    endpoints: &[BundleEndpoint],
    has_bundle: impl Fn(&TrustDomain) -> bool,
) -> Result<(), Unanchored> {
    let by_domain: BTreeMap<&TrustDomain, &BundleEndpoint> =
        endpoints.iter().map(|endpoint| (endpoint.trust_domain(), endpoint)).collect();
    for endpoint in endpoints {
        let (mut at, mut seen, mut needs) = (endpoint, BTreeSet::new(), Vec::new());
        while let Some(needed) = at.authenticated_by().filter(|needed| !has_bundle(needed)) {
            let again = !seen.insert(needed.clone());
            if !again {
                needs.push(needed.clone());
            }
            match by_domain.get(&needed).filter(|_| !again) {
                Some(next) => at = next,
                None => return Err(Unanchored { trust_domain: endpoint.trust_domain().clone(), needs }),
            }
        }
    }
    Ok(())
}

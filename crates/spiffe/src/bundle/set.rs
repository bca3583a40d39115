//! Bundles of several trust domains, which never mix.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::Bundle;
use crate::TrustDomain;

/// Where the bundle of a trust domain is found.
pub trait BundleSource {
    /// The bundle of `trust_domain`, if it is trusted here.
    fn bundle(&self, trust_domain: &TrustDomain) -> Option<&Bundle>;
}

impl BundleSource for Bundle {
    fn bundle(&self, trust_domain: &TrustDomain) -> Option<&Bundle> {
        (self.trust_domain() == trust_domain).then_some(self)
    }
}

/// A key that two trust domains have among their authorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedKey<'a> {
    /// One of them.
    pub first: &'a TrustDomain,
    /// The other.
    pub second: &'a TrustDomain,
    /// The key, a SubjectPublicKeyInfo in DER.
    pub spki: &'a [u8],
}

fn keys_of(bundle: &Bundle) -> impl Iterator<Item = &[u8]> {
    let x509 = bundle.x509_authorities().iter().map(|a| a.certificate.spki());
    let jwt = bundle.jwt_authorities().iter().map(|a| a.public_key.spki_der());
    let wit = bundle.wit_authorities().iter().map(|a| a.public_key.spki_der());
    x509.chain(jwt).chain(wit)
}

/// Bundles of several trust domains, each under its own name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BundleSet(BTreeMap<TrustDomain, Arc<Bundle>>);

impl BundleSet {
    /// Adds or replaces a bundle.
    pub fn insert(&mut self, bundle: Arc<Bundle>) {
        self.0.insert(bundle.trust_domain().clone(), bundle);
    }

    /// Removes the bundle of a trust domain.
    pub fn remove(&mut self, trust_domain: &TrustDomain) {
        self.0.remove(trust_domain);
    }

    /// The bundle of a trust domain.
    pub fn get(&self, trust_domain: &TrustDomain) -> Option<&Arc<Bundle>> {
        self.0.get(trust_domain)
    }

    /// All bundles, by trust domain.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Bundle>> {
        self.0.values()
    }

    /// The keys that sign for two trust domains, each of which can then speak for the other: worth a warning (Trust Domain
    /// and Bundle §2, §6.2).
    pub fn shared_keys(&self) -> Vec<SharedKey<'_>> {
        let mut seen = HashMap::new();
        let mut shared = Vec::new();
        for bundle in self.iter() {
            let mut own = HashSet::new();
            for key in keys_of(bundle).filter(|key| own.insert(*key)) {
                if let Some(first) = seen.insert(key, bundle.trust_domain()) {
                    shared.push(SharedKey { first, second: bundle.trust_domain(), spki: key });
                }
            }
        }
        shared
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl BundleSource for BundleSet {
    fn bundle(&self, trust_domain: &TrustDomain) -> Option<&Bundle> {
        self.0.get(trust_domain).map(|bundle| &**bundle)
    }
}

impl FromIterator<Arc<Bundle>> for BundleSet {
    fn from_iter<I: IntoIterator<Item = Arc<Bundle>>>(bundles: I) -> Self {
        let mut set = Self::default();
        bundles.into_iter().for_each(|bundle| set.insert(bundle));
        set
    }
}

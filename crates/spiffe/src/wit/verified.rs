//! A WIT-SVID that is believed.

use std::time::SystemTime;

use super::{Lifespan, Wit, WitError};
use crate::bundle::{BundleSource, WitAuthority};

impl Wit {
    /// Verifies a token at `now` against the WIT authorities of its own trust domain (WIT-SVID §4, §6.2). Whoever presents
    /// it has yet to prove that the key is theirs: see [`crate::proof`].
    ///
    /// # Errors
    ///
    /// If it is malformed, has expired, does not hold yet, lives for too long, there is no bundle of its trust domain, or
    /// that bundle has no WIT authority of its key id that signed it.
    pub fn verify(
        token: &str,
        bundles: &(impl BundleSource + ?Sized),
        lifespan: Lifespan,
        now: SystemTime,
    ) -> Result<VerifiedWit, WitError> {
        let wit = Self::parse_unverified(token)?;
        if now >= wit.expires_at() {
            return Err(WitError::Expired);
        }
        if wit.not_before().is_some_and(|start| start > now) {
            return Err(WitError::NotYet);
        }
        lifespan.check(&wit, now)?;
        let trust_domain = wit.subject().trust_domain();
        let bundle = bundles.bundle(&trust_domain).ok_or_else(|| WitError::NoBundle(trust_domain.clone()))?;
        let authority = bundle
            .wit_authority(wit.key_id())
            .ok_or_else(|| WitError::NoAuthority { key_id: wit.key_id().to_owned(), trust_domain })?
            .clone();
        wit.jws().verify(&authority.public_key)?;
        Ok(VerifiedWit { wit, authority, verified_at: now })
    }
}

/// A WIT-SVID that an authority of its trust domain signed and that holds. It has no `id()`: whoever presented it may
/// have copied it. [`ProvenWit`](crate::proof::ProvenWit) has one.
#[derive(Debug, Clone)]
pub struct VerifiedWit {
    wit: Wit,
    authority: WitAuthority,
    verified_at: SystemTime,
}

impl VerifiedWit {
    /// The token, whose claims are to be believed, but not that whoever presented it is its subject.
    pub fn wit(&self) -> &Wit {
        &self.wit
    }

    /// The authority of the bundle that signed it, which may be tainted.
    pub fn authority(&self) -> &WitAuthority {
        &self.authority
    }

    /// The moment at which it was found to hold.
    pub fn verified_at(&self) -> SystemTime {
        self.verified_at
    }
}

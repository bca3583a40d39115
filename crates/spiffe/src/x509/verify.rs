//! Verifying an X.509-SVID (X509-SVID §5).

use std::sync::Arc;
use std::time::SystemTime;

use super::certificate::Certificate;
use super::crl::Revocation;
use super::path::{Judge, PathError};
use super::svid::X509Svid;
use crate::bundle::BundleSource;
use crate::{SpiffeId, TrustDomain};

/// Why a chain does not verify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum VerifyError {
    #[error("the certificate chain is no X.509-SVID: {0}")]
    NotAnSvid(String),
    #[error("no bundle is known for trust domain {0}")]
    NoBundle(TrustDomain),
    #[error("the certificate chain does not verify against the bundle of {trust_domain}: {why}")]
    Chain { trust_domain: TrustDomain, why: Box<PathError> },
    #[error("the time to verify at is before 1970: is the clock right?")]
    Time,
}

/// A side of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that accepts the connection.
    Server,
    /// The one that opens it.
    Client,
}

/// What an SVID is verified for, and with.
#[derive(Clone, Copy, Debug)]
pub struct VerifyOptions<'a> {
    now: SystemTime,
    side: Option<Side>,
    revocation: Option<Revocation<'a>>,
}

impl<'a> VerifyOptions<'a> {
    /// At a moment, for either side of TLS, without revocation lists.
    pub fn at(now: SystemTime) -> Self {
        Self { now, side: None, revocation: None }
    }

    /// For a peer that stands on this side: where the leaf, or what is above it, has an extended key usage, it must
    /// name that side (RFC 5280 §4.2.1.12).
    pub fn on(self, side: Side) -> Self {
        Self { side: Some(side), ..self }
    }

    /// With revocation lists.
    pub fn revocation(self, lists: Revocation<'a>) -> Self {
        Self { revocation: Some(lists), ..self }
    }
}

impl X509Svid {
    /// Verifies the chain at `now` against the bundle of the SVID's own trust domain and nothing else
    /// (X509-SVID §5; Trust Domain and Bundle §3), for a peer on either side of TLS.
    ///
    /// # Errors
    ///
    /// Without a bundle of that trust domain, and when there is no path to an authority of it: [`super::path`] has the
    /// rules, and the error says which certificate breaks which.
    pub fn verify(
        &self,
        bundles: &(impl BundleSource + ?Sized),
        now: SystemTime,
    ) -> Result<VerifiedSvid, VerifyError> {
        self.verify_with(bundles, VerifyOptions::at(now))
    }

    /// As [`Self::verify`], for a particular side, or with revocation lists.
    ///
    /// # Errors
    ///
    /// As [`Self::verify`], where the extended key usage leaves the side away, and where a certificate was revoked.
    pub fn verify_with(
        &self,
        bundles: &(impl BundleSource + ?Sized),
        options: VerifyOptions<'_>,
    ) -> Result<VerifiedSvid, VerifyError> {
        let VerifyOptions { now, side, revocation } = options;
        let trust_domain = self.id().trust_domain();
        let Some(bundle) = bundles.bundle(&trust_domain) else {
            return Err(VerifyError::NoBundle(trust_domain));
        };
        if now < SystemTime::UNIX_EPOCH {
            return Err(VerifyError::Time);
        }
        let judge = Judge { authorities: bundle.x509_authorities(), now, side, revocation };
        match judge.path(self.chain()) {
            Ok(path) => Ok(VerifiedSvid { svid: self.clone(), path: path.into(), verified_at: now }),
            Err(why) => Err(VerifyError::Chain { trust_domain, why: Box::new(why) }),
        }
    }
}

/// An X.509-SVID that was verified, with what it was verified against; nothing else builds one.
#[derive(Clone, Debug)]
pub struct VerifiedSvid {
    svid: X509Svid,
    path: Arc<[Certificate]>,
    verified_at: SystemTime,
}

impl VerifiedSvid {
    /// Whom it names.
    pub fn id(&self) -> &SpiffeId {
        self.svid.id()
    }

    /// When it stops holding: the end of the first of its path to end.
    pub fn expires_at(&self) -> SystemTime {
        self.path.iter().map(Certificate::not_after).min().unwrap_or(self.svid.leaf().not_after())
    }

    /// The certificate that names it.
    pub fn leaf(&self) -> &Certificate {
        self.svid.leaf()
    }

    /// The SVID with its chain.
    pub fn svid(&self) -> &X509Svid {
        &self.svid
    }

    /// The certificates that were relied on: the leaf, the intermediates that were needed, the authority.
    pub fn path(&self) -> &[Certificate] {
        &self.path
    }

    /// The authority of the bundle that roots it.
    pub fn authority(&self) -> &Certificate {
        self.path.last().unwrap_or(self.svid.leaf())
    }

    /// The moment at which it was verified.
    pub fn verified_at(&self) -> SystemTime {
        self.verified_at
    }
}

//! Bundles: what a trust domain publishes so that others can verify its documents (SPIFFE_Trust_Domain_and_Bundle).

mod diff;
mod element;
mod form;
mod map;
mod passed_over;
mod publish;
mod read;
mod refresh;
mod set;
mod succession;
mod wit;
mod write;

use std::time::{Duration, SystemTime};

use crate::key::PublicKey;
use crate::x509::{Certificate, CertificateError};
use crate::{TrustDomain, pem};

pub use diff::{BundleDiff, Changes, SetDiff};
pub use form::{BundleForm, FormError, UnknownForm};
pub use map::{MAX_TRUST_DOMAINS, MapError, ReadMap};
pub use passed_over::{KeyProblem, PassedOver, ReadBundle};
pub use publish::{PublishError, WitKeys};
pub use read::{DocumentError, MAX_REFRESH_HINT};
pub use refresh::{DEFAULT_REFRESH, MIN_REFRESH, refresh_after};
pub use set::{BundleSet, BundleSource, SharedKey};
pub use succession::{RESET_AFTER, Succession, Verdict};
pub use wit::WitAuthority;

/// The most authorities of one kind in a bundle.
pub const MAX_AUTHORITIES: usize = 10_000;

/// A certificate that roots chains of X.509-SVIDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct X509Authority {
    /// The signing certificate.
    pub certificate: Certificate,
    /// No longer to be relied on: what it signed is to be replaced, and it will be revoked.
    pub tainted: bool,
}

/// A key that signs JWT-SVIDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtAuthority {
    /// The `kid` of the tokens it signs.
    pub key_id: String,
    /// The key.
    pub public_key: PublicKey,
    /// When it stops signing and may be taken out of the bundle, if known. It verifies for as long as it is there.
    pub expires_at: Option<SystemTime>,
    /// No longer to be relied on.
    pub tainted: bool,
}

/// Why something cannot be part of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum BundleError {
    #[error("the bundle has more than 10,000 authorities of one kind")]
    TooMany,
    #[error("a JWT authority has no key id")]
    NoKeyId,
    #[error("a WIT authority has no key id")]
    NoWitKeyId,
    #[error("a JWT and a WIT authority have the key id {key_id:?}; it is for one of them (WIT-SVID §6.1)")]
    OtherUse { key_id: String },
    #[error("the certificate cannot root a chain: {0}")]
    Anchor(String),
    #[error("the certificate of the bundle cannot be read")]
    Certificate(#[source] CertificateError),
    #[error(transparent)]
    Pem(#[from] pem::PemError),
}

/// The authorities of one trust domain. It cannot lose its trust domain.
#[derive(Clone)]
pub struct Bundle {
    trust_domain: TrustDomain,
    x509: Vec<X509Authority>,
    jwt: Vec<JwtAuthority>,
    wit: Vec<WitAuthority>,
    /// One more at each change of its contents.
    pub sequence: u64,
    /// How often a consumer should look for a newer one; `None` if the publisher does not say.
    pub refresh_hint: Option<Duration>,
}

impl Bundle {
    /// A bundle without authorities.
    pub fn new(trust_domain: TrustDomain) -> Self {
        Self {
            trust_domain,
            x509: Vec::new(),
            jwt: Vec::new(),
            wit: Vec::new(),
            sequence: 0,
            refresh_hint: None,
        }
    }

    /// Whose bundle it is.
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// The X.509 authorities, in order.
    pub fn x509_authorities(&self) -> &[X509Authority] {
        &self.x509
    }

    /// The JWT authorities, in order.
    pub fn jwt_authorities(&self) -> &[JwtAuthority] {
        &self.jwt
    }

    /// The JWT authority of that key id.
    pub fn jwt_authority(&self, key_id: &str) -> Option<&JwtAuthority> {
        self.jwt.iter().find(|a| a.key_id == key_id)
    }

    /// Adds an X.509 authority; false if it was there (with its taint updated, if it became tainted).
    pub fn push_x509(&mut self, authority: X509Authority) -> Result<bool, BundleError> {
        if let Some(known) = self.x509.iter_mut().find(|a| a.certificate == authority.certificate) {
            let news = authority.tainted && !known.tainted;
            known.tainted |= authority.tainted;
            return Ok(news);
        }
        if self.x509.len() == MAX_AUTHORITIES {
            return Err(BundleError::TooMany);
        }
        // Not when it is read: so that reading one costs no arithmetic.
        authority.certificate.public_key().check().map_err(|e| BundleError::Anchor(e.to_string()))?;
        self.x509.push(authority);
        Ok(true)
    }

    /// Adds a JWT authority; false if one of that key id was there (with its taint updated, if it became tainted). A key
    /// id that a WIT authority has is refused.
    pub fn push_jwt(&mut self, authority: JwtAuthority) -> Result<bool, BundleError> {
        if authority.key_id.is_empty() {
            return Err(BundleError::NoKeyId);
        }
        if self.wit_authority(&authority.key_id).is_some() {
            return Err(BundleError::OtherUse { key_id: authority.key_id });
        }
        if let Some(known) = self.jwt.iter_mut().find(|a| a.key_id == authority.key_id) {
            let news = authority.tainted && !known.tainted;
            known.tainted |= authority.tainted;
            return Ok(news);
        }
        if self.jwt.len() == MAX_AUTHORITIES {
            return Err(BundleError::TooMany);
        }
        self.jwt.push(authority);
        Ok(true)
    }

    /// Keeps the X.509 authorities for which `keep` says so; true if one went.
    pub fn retain_x509(&mut self, keep: impl FnMut(&X509Authority) -> bool) -> bool {
        let before = self.x509.len();
        self.x509.retain(keep);
        self.x509.len() != before
    }

    /// Keeps the JWT authorities for which `keep` says so; true if one went.
    pub fn retain_jwt(&mut self, keep: impl FnMut(&JwtAuthority) -> bool) -> bool {
        let before = self.jwt.len();
        self.jwt.retain(keep);
        self.jwt.len() != before
    }

    /// Whether two bundles hold the same authorities and hint, whatever their sequence numbers.
    pub fn same_contents(&self, other: &Bundle) -> bool {
        self.trust_domain == other.trust_domain
            && self.x509 == other.x509
            && self.jwt == other.jwt
            && self.wit == other.wit
            && self.refresh_hint == other.refresh_hint
    }

    /// The X.509 authorities as DER certificates one after another, as the Workload API carries them.
    pub fn x509_der_concatenated(&self) -> Vec<u8> {
        self.x509.iter().flat_map(|a| a.certificate.der().iter().copied()).collect()
    }

    /// Reads X.509 authorities from DER certificates one after another.
    pub fn parse_x509_concatenated(trust_domain: TrustDomain, der: &[u8]) -> Result<Self, BundleError> {
        let mut bundle = Self::new(trust_domain);
        for one in crate::x509::split_concatenated(der, MAX_AUTHORITIES)
            .map_err(|e| BundleError::Anchor(e.to_string()))?
        {
            let certificate = Certificate::parse(one).map_err(BundleError::Certificate)?;
            bundle.push_x509(X509Authority { certificate, tainted: false })?;
        }
        Ok(bundle)
    }

    /// The X.509 authorities as PEM.
    pub fn to_pem(&self) -> String {
        self.x509.iter().map(|a| pem::encode(pem::CERTIFICATE, a.certificate.der())).collect()
    }

    /// Reads X.509 authorities from PEM: at least one.
    pub fn parse_pem(trust_domain: TrustDomain, text: &str) -> Result<Self, BundleError> {
        let mut bundle = Self::new(trust_domain);
        for block in pem::decode_all(text, pem::CERTIFICATE)? {
            let certificate = Certificate::parse(block.der.to_vec()).map_err(BundleError::Certificate)?;
            bundle.push_x509(X509Authority { certificate, tainted: false })?;
        }
        Ok(bundle)
    }
}

impl PartialEq for Bundle {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence && self.same_contents(other)
    }
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundle")
            .field("trust_domain", &self.trust_domain)
            .field("x509", &self.x509.len())
            .field("jwt", &self.jwt.len())
            .field("wit", &self.wit.len())
            .field("sequence", &self.sequence)
            .finish()
    }
}

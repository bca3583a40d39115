use std::sync::Arc;
use std::time::SystemTime;

use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage};

use super::certificate::{Certificate, CertificateError};
use super::tlv;
use crate::bundle::BundleSource;
use crate::{IdError, SpiffeId, TrustDomain};

/// The most certificates of a chain.
pub const MAX_CHAIN: usize = 16;

/// Why an X.509-SVID is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum SvidError {
    #[error("the chain is empty")]
    Empty,
    #[error("the chain has more than 16 certificates")]
    TooLong,
    #[error("certificate {index} of the chain cannot be read")]
    Certificate {
        index: usize,
        #[source]
        cause: CertificateError,
    },
    #[error("the bytes are not a sequence of certificates")]
    Concatenation,
    #[error("the leaf has {0} URI names; an X.509-SVID has exactly one (X509-SVID §2)")]
    UriCount(usize),
    #[error("the leaf's URI is no SPIFFE ID: {0}")]
    Id(IdError),
    #[error(
        "the leaf's SPIFFE ID {0} has no path, so it names a trust domain and no workload (X509-SVID §5.2)"
    )]
    NoPath(SpiffeId),
    #[error("the leaf is a CA, which an X.509-SVID for a workload may not be (X509-SVID §4.1)")]
    LeafIsCa,
    #[error("the leaf's key usage has {0}, which an X.509-SVID for a workload may not have (X509-SVID §4.3)")]
    LeafUsage(&'static str),
    #[error("an intermediate of the chain is no CA (X509-SVID §5.1)")]
    IntermediateNotCa,
    #[error("an intermediate's key usage lacks keyCertSign, so it may sign no certificate (RFC 5280 §6.1.4)")]
    IntermediateUsage,
}

/// Why a chain does not verify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum VerifyError {
    #[error("the certificate chain is no X.509-SVID: {0}")]
    NotAnSvid(String),
    #[error("no bundle is known for trust domain {0}")]
    NoBundle(TrustDomain),
    #[error("the certificate chain does not verify against the bundle of {trust_domain}: {why}")]
    Chain { trust_domain: TrustDomain, why: String },
    #[error("the time to verify at is out of range")]
    Time,
}

/// An X.509-SVID with its chain, parsed and well formed; not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct X509Svid {
    id: SpiffeId,
    leaf: Certificate,
    chain: Arc<[Certificate]>,
}

impl X509Svid {
    /// From a leaf and its intermediates, each DER.
    pub fn parse_chain<D: Into<Vec<u8>>>(chain: impl IntoIterator<Item = D>) -> Result<Self, SvidError> {
        let mut certificates = Vec::new();
        for (index, der) in chain.into_iter().enumerate() {
            if index == MAX_CHAIN {
                return Err(SvidError::TooLong);
            }
            certificates
                .push(Certificate::parse(der).map_err(|cause| SvidError::Certificate { index, cause })?);
        }
        Self::of(certificates)
    }

    /// From DER certificates one after another, as the Workload API carries them.
    pub fn parse_concatenated(bytes: &[u8]) -> Result<Self, SvidError> {
        Self::parse_chain(split_concatenated(bytes, MAX_CHAIN)?)
    }

    /// From certificates that are parsed already. The rules for leaves are those of X509-SVID §5.2; webpki, which
    /// verifies, does not look at the key usage of intermediates, so it is looked at here.
    pub fn of(chain: Vec<Certificate>) -> Result<Self, SvidError> {
        let (leaf, intermediates) = chain.split_first().ok_or(SvidError::Empty)?;
        let [uri] = leaf.uri_sans() else { return Err(SvidError::UriCount(leaf.uri_sans().len())) };
        let id = SpiffeId::parse(uri).map_err(SvidError::Id)?;
        if leaf.is_ca() {
            return Err(SvidError::LeafIsCa);
        }
        if leaf.signs_certificates() {
            return Err(SvidError::LeafUsage("keyCertSign"));
        }
        if leaf.signs_crls() {
            return Err(SvidError::LeafUsage("cRLSign"));
        }
        if id.path().is_empty() {
            return Err(SvidError::NoPath(id));
        }
        if intermediates.iter().any(|c| !c.is_ca()) {
            return Err(SvidError::IntermediateNotCa);
        }
        if intermediates.iter().any(|c| !c.may_sign_certificates()) {
            return Err(SvidError::IntermediateUsage);
        }
        Ok(Self { id, leaf: leaf.clone(), chain: chain.into() })
    }

    /// Whom it names.
    pub fn id(&self) -> &SpiffeId {
        &self.id
    }

    /// The certificate that names it.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// The leaf and its intermediates.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// The chain as DER certificates one after another.
    pub fn der_concatenated(&self) -> Vec<u8> {
        self.chain.iter().flat_map(|c| c.der().iter().copied()).collect()
    }

    /// Verifies the chain at `now` against the bundle of the SVID's own trust domain and nothing else
    /// (X509-SVID §5; Trust Domain and Bundle §3).
    pub fn verify(
        &self,
        bundles: &(impl BundleSource + ?Sized),
        now: SystemTime,
    ) -> Result<VerifiedSvid, VerifyError> {
        let trust_domain = self.id.trust_domain();
        let bundle =
            bundles.bundle(&trust_domain).ok_or_else(|| VerifyError::NoBundle(trust_domain.clone()))?;
        let since = now.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| VerifyError::Time)?;
        let bad =
            |e: webpki::Error| VerifyError::Chain { trust_domain: trust_domain.clone(), why: reason(&e) };
        let leaf = CertificateDer::from(self.leaf().der());
        let leaf = EndEntityCert::try_from(&leaf).map_err(bad)?;
        let intermediates: Vec<CertificateDer<'_>> =
            self.chain.iter().skip(1).map(|c| CertificateDer::from(c.der())).collect();
        let anchors = bundle.anchors_at(now);
        let verify = |usage: KeyUsage| {
            leaf.verify_for_usage(
                webpki::ALL_VERIFICATION_ALGS,
                &anchors,
                &intermediates,
                UnixTime::since_unix_epoch(since),
                usage,
                None,
                None,
            )
            .map(|_| ())
        };
        // The extended key usage is optional; where it is there, it must allow one side of TLS (X509-SVID §4.4).
        match verify(KeyUsage::client_auth()) {
            Err(webpki::Error::RequiredEkuNotFoundContext(_)) => verify(KeyUsage::server_auth()),
            outcome => outcome,
        }
        .map_err(bad)?;
        Ok(VerifiedSvid { svid: self.clone(), verified_at: now })
    }
}

/// The certificates in a run of DER; one more than `most` at the most, since the caller refuses that many.
pub(crate) fn split_concatenated(bytes: &[u8], most: usize) -> Result<Vec<Vec<u8>>, SvidError> {
    let mut all = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() && all.len() <= most {
        let element = tlv::read_a(tlv::SEQUENCE, rest).ok_or(SvidError::Concatenation)?;
        all.push(element.whole.to_vec());
        rest = element.rest;
    }
    Ok(all)
}

fn reason(error: &webpki::Error) -> String {
    match error {
        webpki::Error::UnknownIssuer => "no authority of the bundle that is valid now signed it".to_owned(),
        webpki::Error::CertExpired { .. } => "it, or an intermediate, has expired".to_owned(),
        webpki::Error::CertNotValidYet { .. } => {
            "it, or an intermediate, is not valid yet: is the clock right?".to_owned()
        }
        other => other.to_string(),
    }
}

/// An X.509-SVID that was verified; nothing else builds one.
#[derive(Clone, Debug)]
pub struct VerifiedSvid {
    svid: X509Svid,
    verified_at: SystemTime,
}

impl VerifiedSvid {
    /// Whom it names.
    pub fn id(&self) -> &SpiffeId {
        self.svid.id()
    }

    /// When it stops holding.
    pub fn expires_at(&self) -> SystemTime {
        self.svid.leaf().not_after()
    }

    /// The certificate that names it.
    pub fn leaf(&self) -> &Certificate {
        self.svid.leaf()
    }

    /// The SVID with its chain.
    pub fn svid(&self) -> &X509Svid {
        &self.svid
    }

    /// The moment at which it was verified.
    pub fn verified_at(&self) -> SystemTime {
        self.verified_at
    }
}

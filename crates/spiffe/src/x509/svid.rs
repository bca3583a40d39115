use std::sync::Arc;

use super::certificate::{Certificate, CertificateError};
use super::tlv;
use crate::{IdError, SpiffeId};

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

    /// From certificates that are parsed already. The leaf is judged here, by X509-SVID §5.2; those above it when the
    /// chain is verified, where their order does not matter and what is not needed is not looked at.
    pub fn of(chain: Vec<Certificate>) -> Result<Self, SvidError> {
        let leaf = chain.first().ok_or(SvidError::Empty)?;
        if chain.len() > MAX_CHAIN {
            return Err(SvidError::TooLong);
        }
        let id = SpiffeId::parse(leaf.uri().map_err(SvidError::UriCount)?).map_err(SvidError::Id)?;
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

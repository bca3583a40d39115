//! An X.509-SVID with its key, as it is handed to workloads.

use std::fmt;
use std::time::SystemTime;

use spiffe::SpiffeId;
use spiffe::key::{PrivateKey, Signer as _};
use spiffe::x509::{SvidError, X509Svid};
use zeroize::Zeroizing;

/// An X.509-SVID with its key. Kept as bytes, of which there may be many; the key is wiped when it is dropped.
pub(crate) struct Held {
    id: SpiffeId,
    /// DER certificates one after another, leaf first.
    chain: Box<[u8]>,
    /// How long each of them is.
    lengths: Box<[usize]>,
    key: Zeroizing<Vec<u8>>,
    /// Who signed the last certificate of the chain.
    issuer: Box<[u8]>,
    starts_at: SystemTime,
    expires_at: SystemTime,
}

/// Why what a server issued is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueFault {
    #[error("the server sent no SVID")]
    Nothing,
    #[error("the server sent a malformed SVID: {0}")]
    Malformed(#[from] SvidError),
    #[error("the server sent the SVID of {0}")]
    OtherId(SpiffeId),
    #[error("the server sent an SVID for another key")]
    OtherKey,
    #[error("the server refused: {message} (code {code})")]
    Refused { code: i32, message: String },
}

impl Held {
    /// Takes what the server issued for `id` and `key`, if it is that.
    pub(crate) fn accept(id: &SpiffeId, key: &PrivateKey, chain: Vec<Vec<u8>>) -> Result<Self, IssueFault> {
        if chain.is_empty() {
            return Err(IssueFault::Nothing);
        }
        let svid = X509Svid::parse_chain(chain)?;
        if svid.id() != id {
            return Err(IssueFault::OtherId(svid.id().clone()));
        }
        if svid.leaf().spki() != key.public().spki_der() {
            return Err(IssueFault::OtherKey);
        }
        let issuer = svid.chain().last().map(|top| top.issuer_der().into()).unwrap_or_default();
        Ok(Self {
            id: id.clone(),
            chain: svid.der_concatenated().into(),
            lengths: svid.chain().iter().map(|one| one.der().len()).collect(),
            key: key.to_pkcs8(),
            issuer,
            starts_at: svid.leaf().not_before(),
            expires_at: svid.leaf().not_after(),
        })
    }

    pub(crate) fn id(&self) -> &SpiffeId {
        &self.id
    }

    /// As the Workload API carries it.
    pub(crate) fn chain(&self) -> &[u8] {
        &self.chain
    }

    /// The certificates one by one, the leaf first.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &*self.chain;
        self.lengths.iter().filter_map(move |length| {
            let (one, more) = rest.split_at_checked(*length)?;
            rest = more;
            Some(one)
        })
    }

    /// PKCS #8.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The name of the authority at the chain's end.
    pub(crate) fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    pub(crate) fn starts_at(&self) -> SystemTime {
        self.starts_at
    }

    pub(crate) fn expires_at(&self) -> SystemTime {
        self.expires_at
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({})", self.id)
    }
}

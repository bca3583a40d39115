//! An X.509-SVID with its key, as it is handed to workloads.

use std::fmt;
use std::time::SystemTime;

use spiffe::SpiffeId;
use spiffe::key::{PrivateKey, Signer as _};
use spiffe::x509::{SvidError, X509Svid};
use zeroize::Zeroizing;

/// An X.509-SVID with its key. The key is wiped when it is dropped.
pub(crate) struct Held {
    id: SpiffeId,
    svid: X509Svid,
    key: Zeroizing<Vec<u8>>,
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
        Ok(Self { id: id.clone(), svid, key: key.to_pkcs8() })
    }

    pub(crate) fn id(&self) -> &SpiffeId {
        &self.id
    }

    pub(crate) fn svid(&self) -> &X509Svid {
        &self.svid
    }

    /// PKCS #8.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(crate) fn starts_at(&self) -> SystemTime {
        self.svid.leaf().not_before()
    }

    pub(crate) fn expires_at(&self) -> SystemTime {
        self.svid.leaf().not_after()
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({})", self.id)
    }
}

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use spiffe::key::Signer;
use spiffe::x509::X509Svid;

use crate::key::TlsKey;

/// An X.509-SVID with its key: what one side of TLS shows.
#[derive(Clone)]
pub struct Identity {
    svid: X509Svid,
    certified: Arc<CertifiedKey>,
}

/// Why an identity cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The key is not the one of the certificate.
    #[error("the private key is not the one of the certificate of {0}")]
    OtherKey(spiffe::SpiffeId),
}

impl Identity {
    /// `svid`, whose key `signer` is.
    pub fn new(svid: X509Svid, signer: Arc<dyn Signer>) -> Result<Self, IdentityError> {
        if signer.public().spki_der() != svid.leaf().spki() {
            return Err(IdentityError::OtherKey(svid.id().clone()));
        }
        let chain = svid.chain().iter().map(|c| CertificateDer::from(c.der().to_vec())).collect();
        Ok(Self { certified: Arc::new(CertifiedKey::new(chain, Arc::new(TlsKey::new(signer)))), svid })
    }

    /// The SVID.
    pub fn svid(&self) -> &X509Svid {
        &self.svid
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.svid.id())
    }
}

/// Where handshakes find the identity of the moment. Cheap to read, replaced as a whole.
#[derive(Default)]
pub struct IdentitySource(ArcSwapOption<Identity>);

impl IdentitySource {
    /// A source that has no identity yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Replaces the identity: the next handshake shows it.
    pub fn set(&self, identity: Identity) {
        self.0.store(Some(Arc::new(identity)));
    }

    /// The identity of the moment.
    pub fn get(&self) -> Option<Arc<Identity>> {
        self.0.load_full()
    }
}

impl fmt::Debug for IdentitySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IdentitySource").field(&self.get()).finish()
    }
}

impl ResolvesServerCert for IdentitySource {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.get().map(|identity| identity.certified.clone())
    }
}

impl ResolvesClientCert for IdentitySource {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.get().map(|identity| identity.certified.clone())
    }

    fn has_certs(&self) -> bool {
        self.get().is_some()
    }
}

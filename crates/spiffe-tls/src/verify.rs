//! Verifying peers against the bundles of the moment.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use spiffe::BundleSet;
use spiffe::x509::{Side, VerifiedSvid, VerifyOptions, X509Svid};

use crate::Authorize;

/// The bundles of the moment.
pub type BundleHandle = Arc<ArcSwap<BundleSet>>;

/// Tells the time for verifying. rustls's own is not asked, so that there is one clock.
pub type Now = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Why a peer was refused, as the handshake's error carries it.
#[derive(Debug, thiserror::Error)]
enum PeerError {
    #[error("the peer's certificate is no X.509-SVID")]
    Svid(#[source] spiffe::x509::SvidError),
    #[error("the peer's X.509-SVID does not verify")]
    Verify(#[source] spiffe::x509::VerifyError),
    #[error("the peer is {got}, and {wanted:?} was expected")]
    Unexpected { got: spiffe::SpiffeId, wanted: Authorize },
}

/// The identity that a chain, leaf first, proves at `now`.
pub fn peer_svid(
    chain: &[CertificateDer<'_>],
    bundles: &BundleSet,
    now: SystemTime,
) -> Result<VerifiedSvid, spiffe::x509::VerifyError> {
    let refused = |why: String| spiffe::x509::VerifyError::NotAnSvid(why);
    let svid = X509Svid::parse_chain(chain.iter().map(|c| c.to_vec())).map_err(|e| refused(e.to_string()))?;
    svid.verify(bundles, now)
}

/// Verifies either side's peer.
pub(crate) struct Verifier {
    pub(crate) bundles: BundleHandle,
    pub(crate) authorize: Authorize,
    pub(crate) now: Now,
    pub(crate) mandatory: bool,
    pub(crate) algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// Verifies a peer that stands on `side`.
    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        side: Side,
    ) -> Result<(), Error> {
        let chain = std::iter::once(leaf).chain(intermediates).map(|c| c.to_vec());
        let svid = X509Svid::parse_chain(chain).map_err(|e| refusal(PeerError::Svid(e)))?;
        let now = (self.now)();
        let options = VerifyOptions::at(now).on(side);
        let expired = now > svid.leaf().not_after() && !svid.leaf().valid_at(now);
        let verified = svid.verify_with(&**self.bundles.load(), options).map_err(|e| match expired {
            true => Error::InvalidCertificate(CertificateError::ExpiredContext {
                time: unix(now),
                not_after: unix(svid.leaf().not_after()),
            }),
            false => refusal(PeerError::Verify(e)),
        })?;
        match self.authorize.admits(verified.id()) {
            true => Ok(()),
            false => Err(refusal(PeerError::Unexpected {
                got: verified.id().clone(),
                wanted: self.authorize.clone(),
            })),
        }
    }
}

fn unix(at: SystemTime) -> UnixTime {
    UnixTime::since_unix_epoch(at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO))
}

fn refusal(why: PeerError) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(why))))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verify(leaf, intermediates, Side::Server).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.verify(leaf, intermediates, Side::Client).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("authorize", &self.authorize).finish_non_exhaustive()
    }
}

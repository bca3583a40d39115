//! Trusting whichever server answers first (`insecure_bootstrap`).

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use spiffe::SpiffeId;
use spiffe::x509::Certificate;
use spiffe_tls::TlsError;

/// A server whose certificate names another.
#[derive(Debug, thiserror::Error)]
#[error("the server's certificate must name {wanted} and nothing else; it names {got:?}")]
struct OtherServer {
    wanted: SpiffeId,
    got: Vec<String>,
}

/// Accepts any server that holds the key of a certificate which claims to be `server`, whoever signed it.
pub(super) fn danger_config(server: SpiffeId) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(TlsError::Versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Claims { server, provider }))
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    config.enable_sni = false;
    Ok(config)
}

struct Claims {
    server: SpiffeId,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "whoever claims to be {}", self.server)
    }
}

impl ServerCertVerifier for Claims {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let leaf = Certificate::parse(leaf.to_vec()).map_err(|_| CertificateError::BadEncoding)?;
        if leaf.uri_sans() == [self.server.as_str()] {
            return Ok(ServerCertVerified::assertion());
        }
        let fault = OtherServer { wanted: self.server.clone(), got: leaf.uri_sans().to_vec() };
        Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(fault)))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

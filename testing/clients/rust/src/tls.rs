//! Mutual TLS from what the Workload API has shown last. Each connection gets a configuration of its own, so that it
//! shows the SVID and trusts the bundle of that moment.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig, SignatureScheme};
use spiffe_client::{X509Context, X509Source, X509Svid};

use crate::Failure;

pub(crate) fn server(source: &X509Source) -> Result<Arc<ServerConfig>, Failure> {
    let context = source.x509_context()?;
    let svid = default_svid(&context)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let peers =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots(&context, svid)?), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(peers.build()?)
        .with_single_cert(chain(svid), key(svid))?;
    Ok(Arc::new(config))
}

pub(crate) fn client(source: &X509Source) -> Result<Arc<ClientConfig>, Failure> {
    let context = source.x509_context()?;
    let svid = default_svid(&context)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let peers = ByBundle { roots: roots(&context, svid)?, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(peers))
        .with_client_auth_cert(chain(svid), key(svid))?;
    Ok(Arc::new(config))
}

fn default_svid(context: &X509Context) -> Result<&X509Svid, Failure> {
    Ok(context.default_svid().ok_or("no default SVID")?)
}

fn chain(svid: &X509Svid) -> Vec<CertificateDer<'static>> {
    svid.cert_chain()
        .iter()
        .map(|certificate| CertificateDer::from(certificate.as_bytes().to_vec()))
        .collect()
}

fn key(svid: &X509Svid) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(svid.private_key().as_bytes().to_vec()).into()
}

/// The authorities of the SVID's own trust domain: peers of another are none here.
fn roots(context: &X509Context, svid: &X509Svid) -> Result<RootCertStore, Failure> {
    let bundle =
        context.bundle_set().get(svid.spiffe_id().trust_domain()).ok_or("no bundle of our trust domain")?;
    let mut roots = RootCertStore::empty();
    for authority in bundle.authorities() {
        roots.add(CertificateDer::from(authority.as_bytes().to_vec()))?;
    }
    Ok(roots)
}

/// Trusts what the bundle's authorities signed, whatever its host name; the SPIFFE ID is looked at after the handshake.
#[derive(Debug)]
struct ByBundle {
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for ByBundle {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let algorithms = self.provider.signature_verification_algorithms.all;
        let leaf = ParsedCertificate::try_from(leaf)?;
        verify_server_cert_signed_by_trust_anchor(&leaf, &self.roots, intermediates, now, algorithms)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

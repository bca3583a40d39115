//! Whole configurations for rustls.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::server::NoServerSessionStorage;
use rustls::{ClientConfig, ServerConfig};

use crate::verify::{BundleHandle, Now, Verifier};
use crate::{Authorize, IdentitySource};

/// What a server asks of its clients.
#[derive(Clone, Debug)]
pub enum ClientAuth {
    /// No certificate.
    None,
    /// A certificate if they have one; one that does not verify ends the handshake.
    Request,
    /// A certificate that verifies and that this admits.
    Require(Authorize),
}

/// Why a configuration cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The cryptographic provider does not do TLS 1.2 and 1.3.
    #[error("the cryptographic provider cannot do TLS 1.2 and 1.3")]
    Versions(#[source] rustls::Error),
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn verifier(bundles: BundleHandle, authorize: Authorize, now: Now, mandatory: bool) -> Arc<Verifier> {
    let algorithms = provider().signature_verification_algorithms;
    Arc::new(Verifier { bundles, authorize, now, mandatory, algorithms })
}

/// A server that shows `identity` and judges its clients by `bundles`. No tickets, no session cache.
pub fn server_config(
    identity: Arc<IdentitySource>,
    bundles: BundleHandle,
    clients: ClientAuth,
    now: Now,
) -> Result<ServerConfig, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(TlsError::Versions)?;
    let builder = match clients {
        ClientAuth::None => builder.with_no_client_auth(),
        ClientAuth::Request => {
            builder.with_client_cert_verifier(verifier(bundles, Authorize::Any, now, false))
        }
        ClientAuth::Require(whom) => builder.with_client_cert_verifier(verifier(bundles, whom, now, true)),
    };
    let mut config = builder.with_cert_resolver(identity);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// A client that shows `identity`, if it has one, and connects only to servers that `bundles` verify and `servers`
/// admits. Nothing is resumed.
pub fn client_config(
    identity: Option<Arc<IdentitySource>>,
    bundles: BundleHandle,
    servers: Authorize,
    now: Now,
) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(TlsError::Versions)?
        .dangerous()
        .with_custom_certificate_verifier(verifier(bundles, servers, now, true));
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(identity),
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    Ok(config)
}

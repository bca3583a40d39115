//! TLS of the Prometheus listener, and to a collector.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use config::{Collectors, OtlpTls, PrometheusTls, Scrapers, Shown};
use kit::clock::Clock;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use spiffe_tls::{Authorize, BundleHandle, ClientAuth, IdentitySource};
use telemetry::otlp::Connector;
use telemetry::prometheus::Acceptor;

use crate::start::{Failure, chain};

/// The block of the Prometheus listener.
const METRICS: &str = "telemetry.Prometheus.tls";

/// Asks for the role's own identity and the bundles that it judges scrapers by; none while it has none.
type Ask = dyn Fn() -> Option<(Arc<IdentitySource>, BundleHandle)> + Send + Sync;

/// The role's own identity and the bundles that it judges scrapers by, once it has them.
#[derive(Clone)]
pub(crate) struct Own(Arc<Ask>);

impl Own {
    /// Asks each time.
    pub(crate) fn when(
        ask: impl Fn() -> Option<(Arc<IdentitySource>, BundleHandle)> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(ask))
    }
}

impl std::fmt::Debug for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Own").field(&(self.0)().is_some()).finish()
    }
}

impl ResolvesClientCert for Own {
    fn resolve(&self, hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        (self.0)().and_then(|(identity, _)| ResolvesClientCert::resolve(&*identity, hints, schemes))
    }

    fn has_certs(&self) -> bool {
        (self.0)().is_some()
    }
}

/// What connections to a collector are made with. `None` while the role has not what they need.
pub(super) fn connector(settings: &OtlpTls, own: Own) -> Result<Connector, Failure> {
    match &settings.collectors {
        Collectors::Certified(file) => {
            let config = ClientConfig::builder_with_provider(provider())
                .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
                .with_root_certificates(authorities("telemetry.OTLP.tls", file)?);
            let mut config = match settings.own_svid {
                true => config.with_client_cert_resolver(Arc::new(own)),
                false => config.with_no_client_auth(),
            };
            config.resumption = Resumption::disabled();
            config.alpn_protocols = vec![b"h2".to_vec()];
            let config = Arc::new(config);
            Ok(Arc::new(move || Some(config.clone())))
        }
        Collectors::Ids(ids) => {
            let (ids, shows): (Arc<[_]>, _) = (ids.clone().into(), settings.own_svid);
            Ok(Arc::new(move || {
                let (identity, bundles) = (own.0)()?;
                let ids = ids.clone();
                let admitted = Authorize::Fn(Arc::new(move |id| ids.contains(id)));
                let clock = Clock::system();
                let shown = shows.then_some(identity);
                let made = spiffe_tls::client_config(shown, bundles, admitted, Arc::new(move || clock.now()));
                let mut config = made
                    .inspect_err(|error| {
                        tracing::error!(error = chain(error), "TLS to the OTLP collector cannot be set up");
                    })
                    .ok()?;
                config.alpn_protocols = vec![b"h2".to_vec()];
                Some(Arc::new(config))
            }))
        }
    }
}

/// Authorities from a PEM file that `key` names.
fn authorities(key: &str, file: &Path) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(key, file)? {
        roots.add(certificate).map_err(|e| failed(key, file, "an authority", &e))?;
    }
    Ok(roots)
}

impl ResolvesServerCert for Own {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        (self.0)().and_then(|(identity, _)| ResolvesServerCert::resolve(&*identity, hello))
    }
}

/// What handshakes are made with. `None` while the role has not what they need: its own SVID, or bundles.
pub(super) fn acceptors(settings: &PrometheusTls, own: Own) -> Result<Acceptor, Failure> {
    let shown: Arc<dyn ResolvesServerCert> = match &settings.shown {
        Shown::OwnSvid => Arc::new(own.clone()),
        Shown::Files { cert, key } => Arc::new(SingleCertAndKey::from(certified(cert, key)?)),
    };
    let constant = match &settings.clients {
        Scrapers::Anyone => builder()?.with_no_client_auth(),
        Scrapers::Certified(file) => {
            let roots = authorities(METRICS, file)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
            builder()?.with_client_cert_verifier(
                verifier.build().map_err(|e| failed(METRICS, file, "authorities", &e))?,
            )
        }
        Scrapers::Ids(ids) => {
            let ids: Arc<[_]> = ids.clone().into();
            let made = OnceLock::new();
            return Ok(Arc::new(move || {
                let (identity, bundles) = (own.0)()?;
                let ids = ids.clone();
                let admitted = Authorize::Fn(Arc::new(move |id| ids.contains(id)));
                let config = made.get_or_init(|| spiffe(&identity, &bundles, admitted, shown.clone()));
                config.clone()
            }));
        }
    };
    let config = Arc::new(sessionless(constant.with_cert_resolver(shown)));
    Ok(Arc::new(move || Some(config.clone())))
}

/// A configuration that admits only certain SPIFFE IDs.
fn spiffe(
    identity: &Arc<IdentitySource>,
    bundles: &BundleHandle,
    admitted: Authorize,
    shown: Arc<dyn ResolvesServerCert>,
) -> Option<Arc<ServerConfig>> {
    let clock = Clock::system();
    let require = ClientAuth::Require(admitted);
    match spiffe_tls::server_config(identity.clone(), bundles.clone(), require, Arc::new(move || clock.now()))
    {
        Ok(mut config) => {
            config.cert_resolver = shown;
            Some(Arc::new(config))
        }
        Err(error) => {
            tracing::error!(error = chain(&error), "TLS of the Prometheus endpoint cannot be set up");
            None
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn builder() -> Result<rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>, Failure> {
    Ok(ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?)
}

/// No session outlives a change of certificates.
fn sessionless(mut config: ServerConfig) -> ServerConfig {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config
}

fn certified(cert: &Path, key: &Path) -> Result<CertifiedKey, Failure> {
    let chain = certificates(METRICS, cert)?;
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|e| failed(METRICS, key, "a private key", &e))?;
    CertifiedKey::from_der(chain, key_der, &provider())
        .map_err(|e| failed(METRICS, cert, "the certificate of that key", &e))
}

fn certificates(key: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.map_err(|e| failed(key, file, "certificates", &e))?;
    match read.is_empty() {
        true => Err(format!("{key}: {} holds no certificate in PEM", file.display()).into()),
        false => Ok(read),
    }
}

fn failed(key: &str, file: &Path, what: &str, error: &dyn std::fmt::Display) -> Failure {
    format!("{key}: {} cannot be read as {what}: {error}", file.display()).into()
}

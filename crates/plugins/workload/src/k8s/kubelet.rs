//! Asks the kubelet of this node.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode, header};
use http_body_util::Empty;
use hyper::body::Bytes;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::pod::{self, Pod, PodsError};
use crate::exchange;

/// How long one answer may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// The longest list that is read. A node has some hundred pods of some ten kilobytes.
const MOST: usize = 64 << 20;

/// How the kubelet is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kubelet {
    /// Its port.
    pub port: u16,
    /// By what.
    pub transport: Transport,
}

/// By what the kubelet is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// HTTP on 127.0.0.1: the read-only port.
    Plain,
    /// HTTPS.
    Tls {
        /// The node's name or address, to connect to and to find in the certificate. Without it 127.0.0.1 is connected
        /// to, and the certificate may have any name.
        node_name: Option<String>,
        /// The authorities of the kubelet's certificate, PEM; none takes any certificate.
        ca_path: Option<PathBuf>,
        /// Who asks.
        credentials: Credentials,
        /// How often the files are read again.
        reload_interval: Duration,
    },
}

/// Who asks the kubelet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Nobody.
    Anonymous,
    /// Whom the token in this file names.
    Token(PathBuf),
    /// Whom a certificate names.
    Certificate {
        /// The certificate, and what it chains to, PEM.
        certificate_path: PathBuf,
        /// Its key, PEM.
        private_key_path: PathBuf,
    },
}

/// Why the kubelet said nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// A file of the connection cannot be used.
    #[error("{what} {}: {why}", path.display())]
    File {
        /// What the file is for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The node's name cannot be one.
    #[error("node name {0:?} is neither a DNS name nor an address")]
    Name(String),
    /// No connection, or no answer.
    #[error("the kubelet at {at} cannot be asked: {why}")]
    Unreachable {
        /// Host and port.
        at: String,
        /// What went wrong.
        why: String,
    },
    /// It says no.
    #[error("unexpected status code on pods response: {} {said}", status.as_u16())]
    Refused {
        /// The status.
        status: StatusCode,
        /// What it said.
        said: String,
    },
    /// The answer is none.
    #[error(transparent)]
    Answer(#[from] PodsError),
}

/// What was read from the files of a connection.
pub(super) struct Loaded {
    at: Instant,
    tls: Arc<ClientConfig>,
    token: Option<String>,
}

impl Kubelet {
    /// All pods of the node. `loaded` is what was read from files before; a failure to read them again leaves it.
    pub(super) async fn pods(&self, loaded: &mut Option<Loaded>) -> Result<Vec<Pod>, Fault> {
        let (host, name) = self.host();
        let at = if host.contains(':') {
            format!("[{host}]:{}", self.port)
        } else {
            format!("{host}:{}", self.port)
        };
        if let Transport::Tls { reload_interval, .. } = &self.transport
            && loaded.as_ref().is_none_or(|loaded| loaded.at.elapsed() >= *reload_interval)
        {
            *loaded = Some(self.load()?);
        }
        let unreachable = |why: String| Fault::Unreachable { at: at.clone(), why };
        let asked = async {
            let stream = TcpStream::connect(&at).await.map_err(|why| unreachable(why.to_string()))?;
            let request = Request::get("/pods").header(header::HOST, &at);
            let (request, tls) = match loaded.as_ref() {
                Some(Loaded { tls, token: Some(token), .. }) => {
                    (request.header(header::AUTHORIZATION, format!("Bearer {token}")), Some(tls))
                }
                Some(Loaded { tls, .. }) => (request, Some(tls)),
                None => (request, None),
            };
            let request = request.body(Empty::<Bytes>::new()).map_err(|why| unreachable(why.to_string()))?;
            let answer = match tls {
                Some(tls) => {
                    let server = ServerName::try_from(name.clone()).map_err(|_| Fault::Name(name.clone()))?;
                    let stream = TlsConnector::from(tls.clone()).connect(server, stream).await;
                    exchange::ask(stream.map_err(|why| unreachable(why.to_string()))?, request, MOST).await
                }
                None => exchange::ask(stream, request, MOST).await,
            };
            answer.map_err(|why| unreachable(why.to_string()))
        };
        let late = |_| unreachable(format!("no answer within {} seconds", PATIENCE.as_secs()));
        let (status, body) = tokio::time::timeout(PATIENCE, asked).await.map_err(late)??;
        if status != StatusCode::OK {
            let said = String::from_utf8_lossy(&body).trim().chars().take(300).collect();
            return Err(Fault::Refused { status, said });
        }
        Ok(pod::parse(&body)?)
    }

    /// What to connect to, and the name to find in the certificate.
    fn host(&self) -> (String, String) {
        match &self.transport {
            Transport::Tls { node_name: Some(name), .. } => (name.clone(), name.clone()),
            _ => ("127.0.0.1".to_owned(), "127.0.0.1".to_owned()),
        }
    }

    fn load(&self) -> Result<Loaded, Fault> {
        let (node_name, ca_path, credentials) = match &self.transport {
            Transport::Tls { node_name, ca_path, credentials, .. } => (node_name, ca_path, credentials),
            Transport::Plain => (&None, &None, &Credentials::Anonymous),
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match ca_path {
            Some(path) => Arc::new(Verifier {
                chain: chain_verifier(path, provider.clone())?,
                any_name: node_name.is_none(),
            }),
            None => Arc::new(Anybody(provider.clone())),
        };
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let versions =
            versions.map_err(|why| Fault::Unreachable { at: "TLS".to_owned(), why: why.to_string() })?;
        let builder = versions.dangerous().with_custom_certificate_verifier(verifier);
        let (tls, token) = match credentials {
            Credentials::Anonymous => (builder.with_no_client_auth(), None),
            Credentials::Token(path) => {
                let token = read(path, "token")?;
                let token = String::from_utf8_lossy(&token).trim().to_owned();
                (builder.with_no_client_auth(), Some(token))
            }
            Credentials::Certificate { certificate_path, private_key_path } => {
                let chain = certificates(certificate_path, "certificate")?;
                let key = read(private_key_path, "private key")?;
                let wrong =
                    |why: String| Fault::File { what: "private key", path: private_key_path.clone(), why };
                let key = PrivateKeyDer::from_pem_slice(&key).map_err(|why| wrong(why.to_string()))?;
                (builder.with_client_auth_cert(chain, key).map_err(|why| wrong(why.to_string()))?, None)
            }
        };
        Ok(Loaded { at: Instant::now(), tls: Arc::new(tls), token })
    }
}

fn read(path: &Path, what: &'static str) -> Result<Vec<u8>, Fault> {
    let wrong = |why: io::Error| Fault::File { what, path: path.to_owned(), why: why.to_string() };
    std::fs::read(path).map_err(wrong)
}

fn certificates(path: &Path, what: &'static str) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let text = read(path, what)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    all.map_err(|why| Fault::File { what, path: path.to_owned(), why: why.to_string() })
}

fn chain_verifier(path: &Path, provider: Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, Fault> {
    let wrong = |why: String| Fault::File { what: "kubelet CA", path: path.to_owned(), why };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, "kubelet CA")? {
        roots.add(certificate).map_err(|why| wrong(why.to_string()))?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|why| wrong(why.to_string()))
}

/// Wants a chain to the kubelet's authorities, and the node's name where it is known.
#[derive(Debug)]
struct Verifier {
    chain: Arc<WebPkiServerVerifier>,
    any_name: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.chain.verify_server_cert(leaf, intermediates, name, ocsp, now) {
            // names are looked at last: the chain holds
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.any_name => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// Takes whoever holds the key of the certificate shown: `skip_kubelet_verification`.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            leaf,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            leaf,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

//! Fetching the first bundle over HTTP.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use prost::bytes::Bytes;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

/// The largest bundle that is read.
const MAX: usize = 4 << 20;
const TIMEOUT: Duration = Duration::from_secs(30);
/// Where systems keep the roots of the Web.
const ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The URL is malformed.
    #[error("it is malformed: {0}")]
    Url(String),
    /// Its scheme does not fit.
    #[error("it must begin with {0}")]
    Scheme(&'static str),
    /// The other end was not reached.
    #[error("no connection to {place}: {cause}")]
    Connect {
        /// Where to.
        place: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The system's roots were not found.
    #[error(
        "the system's trusted roots cannot be read from {path:?}: {why}; set SSL_CERT_FILE to a file that holds them"
    )]
    Roots {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The conversation failed.
    #[error("the conversation failed: {0}")]
    Http(String),
    /// The server did not answer in time.
    #[error("no answer within 30 seconds")]
    Slow,
    /// The server answered something else.
    #[error("the answer was {0}")]
    Status(StatusCode),
}

/// Fetches over https, trusting the system's roots, or over a Unix socket.
pub(crate) async fn fetch(url: &str, unix_socket: Option<&Path>) -> Result<String, FetchError> {
    let uri: Uri = url.parse().map_err(|cause: http::uri::InvalidUri| FetchError::Url(cause.to_string()))?;
    let get = async {
        match unix_socket {
            Some(path) => over_unix(&uri, path).await,
            None => over_tls(&uri).await,
        }
    };
    tokio::time::timeout(TIMEOUT, get).await.map_err(|_| FetchError::Slow)?
}

async fn over_unix(uri: &Uri, path: &Path) -> Result<String, FetchError> {
    if uri.scheme_str() != Some("http") {
        return Err(FetchError::Scheme("http:// where trust_bundle_unix_socket is set"));
    }
    let connect = |cause| FetchError::Connect { place: path.display().to_string(), cause };
    get(uri, UnixStream::connect(path).await.map_err(connect)?).await
}

async fn over_tls(uri: &Uri) -> Result<String, FetchError> {
    if uri.scheme_str() != Some("https") {
        return Err(FetchError::Scheme("https://"));
    }
    let host = uri.host().ok_or_else(|| FetchError::Url("it names no host".to_owned()))?;
    let connect = |cause| FetchError::Connect { place: host.to_owned(), cause };
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(plain.to_owned()).map_err(|cause| FetchError::Url(cause.to_string()))?;
    let tls = TlsConnector::from(Arc::new(web_config()?));
    let tcp = TcpStream::connect((plain, uri.port_u16().unwrap_or(443))).await.map_err(connect)?;
    get(uri, tls.connect(name, tcp).await.map_err(connect)?).await
}

async fn get<S>(uri: &Uri, stream: S) -> Result<String, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let http = |cause: &dyn std::fmt::Display| FetchError::Http(cause.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| http(&e))?;
    let connection = tokio::spawn(connection);
    let host = uri.authority().map_or("localhost", |authority| authority.as_str());
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path).header(header::HOST, host).body(Empty::<Bytes>::new());
    let answer = sender.send_request(request.map_err(|e| http(&e))?).await.map_err(|e| http(&e))?;
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(answer.status()));
    }
    let body = Limited::new(answer.into_body(), MAX).collect().await.map_err(|e| http(&e))?.to_bytes();
    connection.abort();
    String::from_utf8(body.to_vec()).map_err(|_| FetchError::Http("the answer is not text".to_owned()))
}

fn web_config() -> Result<ClientConfig, FetchError> {
    let path = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let path = path.or_else(|| ROOTS.iter().map(PathBuf::from).find(|path| path.exists()));
    let path = path.unwrap_or_else(|| ROOTS.map(PathBuf::from)[0].clone());
    let roots = |why: String| FetchError::Roots { path: path.clone(), why };
    let text = std::fs::read_to_string(&path).map_err(|cause| roots(cause.to_string()))?;
    let blocks = spiffe::pem::decode(&text).map_err(|cause| roots(cause.to_string()))?;
    let mut store = RootCertStore::empty();
    let ders = blocks.iter().filter(|block| block.label == spiffe::pem::CERTIFICATE);
    let (taken, _) =
        store.add_parsable_certificates(ders.map(|block| CertificateDer::from(block.der.to_vec())));
    if taken == 0 {
        return Err(roots("it holds no certificate".to_owned()));
    }
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_root_certificates(store).with_no_client_auth())
        .map_err(|cause| FetchError::Http(cause.to_string()))
}

//! The address of the Workload API (Workload Endpoint §4).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use super::uri::{Authority, Port, Uri, UriError, decoded, encoded};

/// The environment variable that names the endpoint where nothing else does.
pub const ENDPOINT_SOCKET_VARIABLE: &str = "SPIFFE_ENDPOINT_SOCKET";

/// Where the Workload API is: `unix:///run/agent.sock` or `tcp://127.0.0.1:8000`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkloadEndpoint(Address);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Address {
    Unix(String),
    Tcp(SocketAddr),
}

/// What to connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place<'a> {
    /// The Unix socket of this absolute path.
    Unix(&'a Path),
    /// This address.
    Tcp(SocketAddr),
}

/// Why a text is no address of the Workload API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum WorkloadEndpointError {
    #[error("it is no URI: {0}")]
    Uri(#[from] UriError),
    #[error("its scheme is neither unix nor tcp; write unix:///path/to/the.sock or tcp://127.0.0.1:8000")]
    Scheme,
    #[error("it has a query or a fragment, which an endpoint's address has not")]
    Extra,
    #[error("it has a host; the path of a Unix socket begins after three slashes, unix:///path/to/the.sock")]
    Host,
    #[error("it has no absolute path of a socket; write unix:///path/to/the.sock")]
    Path,
    #[error("it has user information, which an endpoint's address has not")]
    User,
    #[error("its host is no IP address, and names are not looked up; write tcp://127.0.0.1:8000")]
    NoAddress,
    #[error("it has no port; write tcp://127.0.0.1:8000")]
    NoPort,
    #[error("it has a path, which an address of the scheme tcp has not")]
    TcpPath,
}

/// Why the Workload API cannot be located.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum LocateError {
    #[error("the Workload API's address is not configured, and SPIFFE_ENDPOINT_SOCKET is not set")]
    Nowhere,
    #[error("the configured address of the Workload API cannot be used: {0}")]
    Configured(WorkloadEndpointError),
    #[error("SPIFFE_ENDPOINT_SOCKET cannot be used: {0}")]
    Environment(WorkloadEndpointError),
}

impl WorkloadEndpoint {
    /// Reads an address (Workload Endpoint §4): of `unix` an absolute path and nothing else, of `tcp` an IP address, a port
    /// and nothing else. What is escaped is decoded once; `..` is left to the system.
    pub fn parse(text: &str) -> Result<Self, WorkloadEndpointError> {
        let uri = Uri::parse(text)?;
        let place = match () {
            () if uri.has_scheme("unix") => Address::Unix(socket(&uri)?),
            () if uri.has_scheme("tcp") => Address::Tcp(address(&uri)?),
            () => return Err(WorkloadEndpointError::Scheme),
        };
        match (uri.query, uri.fragment) {
            (None, None) => Ok(Self(place)),
            _ => Err(WorkloadEndpointError::Extra),
        }
    }

    /// The endpoint to use: what is configured, or else the value of [`ENDPOINT_SOCKET_VARIABLE`], and nothing else. A
    /// configured address that is wrong is an error, not a reason to look at the environment.
    pub fn locate(configured: Option<&str>, environment: Option<&str>) -> Result<Self, LocateError> {
        match (configured, environment) {
            (Some(text), _) => Self::parse(text).map_err(LocateError::Configured),
            (None, Some(text)) => Self::parse(text).map_err(LocateError::Environment),
            (None, None) => Err(LocateError::Nowhere),
        }
    }

    /// The endpoint at a Unix socket; none if the path is not absolute, not UTF-8, or has a zero byte.
    pub fn unix(path: &Path) -> Option<Self> {
        let text = path.to_str().filter(|text| text.starts_with('/') && text.len() > 1)?;
        (!text.contains('\0')).then(|| Self(Address::Unix(text.to_owned())))
    }

    /// What to connect to.
    pub fn place(&self) -> Place<'_> {
        match &self.0 {
            Address::Unix(path) => Place::Unix(Path::new(path)),
            Address::Tcp(address) => Place::Tcp(*address),
        }
    }

    /// Whether it is on this host without doubt: a Unix socket, or a loopback address.
    pub fn is_local(&self) -> bool {
        match self.0 {
            Address::Unix(_) => true,
            Address::Tcp(address) => address.ip().is_loopback(),
        }
    }
}

impl fmt::Display for WorkloadEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Address::Unix(path) => write!(f, "unix://{}", encoded(path)),
            Address::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}

fn socket(uri: &Uri<'_>) -> Result<String, WorkloadEndpointError> {
    if uri.authority.is_some_and(|authority| !authority.is_empty()) {
        return Err(WorkloadEndpointError::Host);
    }
    let path = decoded(uri.path)?;
    match uri.path.starts_with('/') && path.len() > 1 && !path.contains('\0') {
        true => Ok(path),
        false => Err(WorkloadEndpointError::Path),
    }
}

fn address(uri: &Uri<'_>) -> Result<SocketAddr, WorkloadEndpointError> {
    let authority = Authority::parse(uri.authority.ok_or(WorkloadEndpointError::NoAddress)?)?;
    if authority.userinfo.is_some() {
        return Err(WorkloadEndpointError::User);
    }
    let ip: IpAddr = authority.host.parse().map_err(|_| WorkloadEndpointError::NoAddress)?;
    match (authority.port, uri.path) {
        (Port::Number(port), "") => Ok(SocketAddr::new(ip, port)),
        (Port::Number(_), _) => Err(WorkloadEndpointError::TcpPath),
        (Port::Missing | Port::Empty, _) => Err(WorkloadEndpointError::NoPort),
    }
}

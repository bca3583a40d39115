//! The URL of a bundle endpoint (Federation §5.2.1.1, §5.2.2.1).

use std::fmt;

use super::reference::resolve;
use super::uri::{Authority, Port, Uri, UriError};

/// A URL with the scheme `https`, a host, and no user information. Port, path and query are free; a fragment may be written
/// and is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BundleUrl(String);

/// Why a text is no URL of a bundle endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum BundleUrlError {
    #[error("it is no URL: {0}")]
    Uri(#[from] UriError),
    #[error("its scheme is not https")]
    Scheme,
    #[error("it has no host")]
    Host,
    #[error("it has user information before its host")]
    User,
}

impl BundleUrl {
    /// Reads a URL.
    pub fn parse(text: &str) -> Result<Self, BundleUrlError> {
        let uri = Uri::parse(text)?;
        if !uri.has_scheme("https") {
            return Err(BundleUrlError::Scheme);
        }
        let authority = Authority::parse(uri.authority.ok_or(BundleUrlError::Host)?)?;
        if authority.userinfo.is_some() {
            return Err(BundleUrlError::User);
        }
        if authority.host.is_empty() {
            return Err(BundleUrlError::Host);
        }
        Ok(Self(text.to_owned()))
    }

    /// The URL that a reference in an answer from this one names (RFC 3986 §5.2), such as that of a redirect.
    pub fn join(&self, reference: &str) -> Result<Self, BundleUrlError> {
        Self::parse(&resolve(&self.0, reference)?)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host that the endpoint's certificate has to name with the profile `https_web`: a DNS name, or an address; an IPv6
    /// address without brackets.
    pub fn host(&self) -> &str {
        self.authority().map_or("", |authority| authority.host)
    }

    /// The port, 443 where none is written.
    pub fn port(&self) -> u16 {
        match self.authority().map(|authority| authority.port) {
            Some(Port::Number(port)) => port,
            _ => 443,
        }
    }

    /// Host and port as the header `Host` has them.
    pub fn host_header(&self) -> String {
        let Some(authority) = self.authority() else { return String::new() };
        let host =
            if authority.bracketed { format!("[{}]", authority.host) } else { authority.host.to_owned() };
        match authority.port {
            Port::Number(port) => format!("{host}:{port}"),
            Port::Missing | Port::Empty => host,
        }
    }

    /// What is asked for: the path, `/` where there is none, and the query.
    pub fn target(&self) -> String {
        let Ok(uri) = Uri::parse(&self.0) else { return "/".to_owned() };
        let path = if uri.path.is_empty() { "/" } else { uri.path };
        uri.query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
    }

    fn authority(&self) -> Option<Authority<'_>> {
        Authority::parse(Uri::parse(&self.0).ok()?.authority?).ok()
    }
}

impl fmt::Display for BundleUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

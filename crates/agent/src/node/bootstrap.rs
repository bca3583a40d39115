//! What to trust before the first contact.

use std::path::{Path, PathBuf};

use spiffe::TrustDomain;
use spiffe::bundle::{Bundle, BundleForm};

use super::fetch::{FetchError, fetch};
use crate::settings::{Bootstrap, Settings};

/// Why the first bundle was not had.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The file could not be read.
    #[error("the trust bundle {path:?} cannot be read: {cause}; check trust_bundle_path")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The URL gave nothing.
    #[error("the trust bundle at {url} cannot be fetched: {cause}")]
    Fetch {
        /// The URL.
        url: String,
        /// What went wrong.
        cause: FetchError,
    },
    /// What was read is no bundle.
    #[error(
        "the trust bundle from {place} cannot be used: {why}; trust_bundle_format must say how it is written (pem or spiffe)"
    )]
    Malformed {
        /// Where it came from.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// What was read is empty.
    #[error(
        "the trust bundle from {0} holds no X.509 authority; `bundle show` on the server prints a current one"
    )]
    Empty(String),
}

/// The first bundle; `None` where the first server is to be trusted.
pub(crate) async fn bundle(
    settings: &Settings,
    attempt: u32,
    started: &str,
) -> Result<Option<Bundle>, BootstrapError> {
    match &settings.bootstrap {
        Bootstrap::DangerousFirstServer => Ok(None),
        Bootstrap::File { path, format } => {
            let text = read(path)?;
            parse(&settings.trust_domain, &path.display().to_string(), &text, *format).map(Some)
        }
        Bootstrap::Url { url, unix_socket, format } => {
            let asked = match unix_socket {
                Some(_) => with_context(url, settings, attempt, started),
                None => url.clone(),
            };
            let text = fetch(&asked, unix_socket.as_deref())
                .await
                .map_err(|cause| BootstrapError::Fetch { url: url.clone(), cause })?;
            parse(&settings.trust_domain, url, &text, *format).map(Some)
        }
    }
}

fn read(path: &Path) -> Result<String, BootstrapError> {
    std::fs::read_to_string(path).map_err(|cause| BootstrapError::Read { path: path.to_owned(), cause })
}

fn parse(td: &TrustDomain, place: &str, text: &str, format: BundleForm) -> Result<Bundle, BootstrapError> {
    let read = format
        .read(td.clone(), text)
        .map_err(|cause| BootstrapError::Malformed { place: place.to_owned(), why: cause.to_string() })?;
    for key in &read.passed_over {
        tracing::warn!(place, "{key}");
    }
    let bundle = read.bundle;
    match bundle.x509_authorities().is_empty() {
        true => Err(BootstrapError::Empty(place.to_owned())),
        false => Ok(bundle),
    }
}

/// What a local provider of bundles is told (SPIRE 1.16).
fn with_context(url: &str, settings: &Settings, attempt: u32, started: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    let (td, host, port) = (&settings.trust_domain, &settings.server_address, settings.server_port);
    let started = started.replace(':', "%3A").replace('+', "%2B");
    let host = host.replace(':', "%3A");
    format!(
        "{url}{separator}spiffe-trust-domain={td}&spire-attest-mode=bootstrap&spire-attest-start-time={started}\
         &spire-connection-attempts={attempt}&spire-server-address={host}&spire-server-port={port}"
    )
}

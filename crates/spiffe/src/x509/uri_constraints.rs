//! URI name constraints to be written into signing certificates (X509-SVID §4.2; RFC 5280 §4.2.1.10).

use super::oid;
use super::path::uri_within;
use super::template::IssueError;
use super::tlv::{SEQUENCE, URI_NAME, extension, tlv};
use crate::TrustDomain;

/// For which trust domains the certificates below an authority may be: by host (`example.org`), or by everything below
/// one (`.example.org`).
///
/// Peers on rustls with its own verifier refuse every chain with such a constraint, also where it holds; Go, OpenSSL and
/// this crate verify them. So write them only where all peers are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UriConstraints {
    permitted: Vec<String>,
    excluded: Vec<String>,
}

impl UriConstraints {
    /// No constraint yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Permits these hosts. Once one is permitted, all others are not.
    pub fn permit(mut self, host: impl Into<String>) -> Self {
        self.permitted.push(host.into());
        self
    }

    /// Excludes these hosts, also where they are permitted.
    pub fn exclude(mut self, host: impl Into<String>) -> Self {
        self.excluded.push(host.into());
        self
    }

    /// The extension, if there is a constraint. It is refused if a host is none, and if it keeps out the trust domain for
    /// which the authority is to sign.
    pub(super) fn extension(&self, trust_domain: &TrustDomain) -> Result<Option<Vec<u8>>, IssueError> {
        let id = trust_domain.id();
        let within = |host: &String| {
            let compared = if host.is_empty() { None } else { uri_within(id.as_str(), host).ok() };
            compared.ok_or_else(|| IssueError::Constraint(host.clone()))
        };
        let permitted = self.permitted.iter().map(within).collect::<Result<Vec<_>, _>>()?;
        let excluded = self.excluded.iter().map(within).collect::<Result<Vec<_>, _>>()?;
        if excluded.contains(&true) || !(permitted.is_empty() || permitted.contains(&true)) {
            return Err(IssueError::ConstrainedAway(trust_domain.clone()));
        }
        let lists = [subtrees(0xa0, &self.permitted), subtrees(0xa1, &self.excluded)].concat();
        let value = || extension(oid::NAME_CONSTRAINTS, true, &tlv(SEQUENCE, &[&lists]));
        Ok((!lists.is_empty()).then(value))
    }
}

fn subtrees(tag: u8, hosts: &[String]) -> Vec<u8> {
    let one = |host: &String| tlv(SEQUENCE, &[&tlv(URI_NAME, &[host.as_bytes()])]);
    match hosts {
        [] => Vec::new(),
        hosts => tlv(tag, &[&hosts.iter().flat_map(one).collect::<Vec<_>>()]),
    }
}

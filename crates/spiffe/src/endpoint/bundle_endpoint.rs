//! What is configured of a bundle endpoint, and what follows from it (Federation §5, §7).

use super::bundle_url::{BundleUrl, BundleUrlError};
use super::fetch::{Fetch, Redirects};
use crate::bundle::{Bundle, BundleSet, DocumentError, ReadBundle};
use crate::x509::VerifiedSvid;
use crate::{IdError, SpiffeId, TrustDomain};

/// How a bundle endpoint proves who it is (Federation §5.2). One is never tried in place of the other (§7.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EndpointProfile {
    /// `https_web`: by a certificate of the web's authorities for the host of the URL.
    HttpsWeb,
    /// `https_spiffe`: by an X.509-SVID.
    HttpsSpiffe {
        /// Whose it is, exactly.
        endpoint_id: SpiffeId,
    },
}

/// A bundle endpoint: whose bundle it has, where it is, and how it proves who it is. All three are configured, and none is
/// derived from another (Federation §5.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BundleEndpoint {
    trust_domain: TrustDomain,
    url: BundleUrl,
    profile: EndpointProfile,
}

/// Why a bundle endpoint's configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum EndpointError {
    #[error("the {0} of the bundle endpoint is not configured; it is not derived from anything else")]
    Missing(&'static str),
    #[error("the trust domain of the bundle endpoint is malformed: {0}")]
    TrustDomain(IdError),
    #[error("the URL of the bundle endpoint cannot be used: {0}")]
    Url(BundleUrlError),
    #[error("the profile of the bundle endpoint is neither https_web nor https_spiffe")]
    Profile,
    #[error("the endpoint's SPIFFE ID is malformed: {0}")]
    Id(IdError),
    #[error("the endpoint's SPIFFE ID has no path, so no workload has it")]
    PathlessId,
    #[error("an endpoint of the profile https_web has no SPIFFE ID")]
    WebWithId,
    #[error(
        "the bundle of {0}, whose SVID the endpoint has, is not known; it cannot be authenticated without"
    )]
    NoBundle(TrustDomain),
}

/// Why the answer of a bundle endpoint is no bundle. The stored one stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum ResponseError {
    #[error("the bundle endpoint answered with the HTTP status {0}; only 200 brings a bundle")]
    Status(u16),
    #[error("the bundle endpoint's answer is not UTF-8")]
    Utf8,
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// By what the other end of a connection to a bundle endpoint is authenticated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Peer<'a> {
    /// By the web's authorities, for this host (RFC 6125).
    Web {
        /// The host of the URL that is connected to.
        host: &'a str,
    },
    /// By an X.509-SVID.
    Spiffe {
        /// Its ID, exactly; host names do not matter.
        id: &'a SpiffeId,
        /// What it is verified against, and nothing else.
        bundle: &'a Bundle,
    },
}

impl EndpointProfile {
    /// From its name and the SPIFFE ID that `https_spiffe` needs and `https_web` has not.
    pub fn parse(name: &str, endpoint_id: Option<&str>) -> Result<Self, EndpointError> {
        match (name, endpoint_id) {
            ("https_web", None) => Ok(Self::HttpsWeb),
            ("https_web", Some(_)) => Err(EndpointError::WebWithId),
            ("https_spiffe", None) => Err(EndpointError::Missing("SPIFFE ID")),
            ("https_spiffe", Some(text)) => {
                let endpoint_id = SpiffeId::parse(text).map_err(EndpointError::Id)?;
                match endpoint_id.path().is_empty() {
                    true => Err(EndpointError::PathlessId),
                    false => Ok(Self::HttpsSpiffe { endpoint_id }),
                }
            }
            _ => Err(EndpointError::Profile),
        }
    }
}

impl BundleEndpoint {
    /// Of its three settings.
    pub fn new(trust_domain: TrustDomain, url: BundleUrl, profile: EndpointProfile) -> Self {
        Self { trust_domain, url, profile }
    }

    /// Of its settings as text: none but the SPIFFE ID may be missing, and that one only with `https_web`.
    pub fn configure(
        trust_domain: Option<&str>,
        url: Option<&str>,
        profile: Option<&str>,
        endpoint_id: Option<&str>,
    ) -> Result<Self, EndpointError> {
        let trust_domain = trust_domain.ok_or(EndpointError::Missing("trust domain"))?;
        let url = url.ok_or(EndpointError::Missing("URL"))?;
        let profile = profile.ok_or(EndpointError::Missing("profile"))?;
        Ok(Self {
            trust_domain: TrustDomain::parse(trust_domain).map_err(EndpointError::TrustDomain)?,
            url: BundleUrl::parse(url).map_err(EndpointError::Url)?,
            profile: EndpointProfile::parse(profile, endpoint_id)?,
        })
    }

    /// Whose bundle it has, known before anything is fetched (Federation §5.2.1.4).
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// Where it is.
    pub fn url(&self) -> &BundleUrl {
        &self.url
    }

    /// How it proves who it is.
    pub fn profile(&self) -> &EndpointProfile {
        &self.profile
    }

    /// Whether its own SVID is of the trust domain whose bundle it has (Federation §5.2.2.2).
    pub fn is_self_serving(&self) -> bool {
        self.authenticated_by() == Some(&self.trust_domain).cloned()
    }

    /// The trust domain whose bundle is needed to authenticate it, if one is.
    pub fn authenticated_by(&self) -> Option<TrustDomain> {
        match &self.profile {
            EndpointProfile::HttpsWeb => None,
            EndpointProfile::HttpsSpiffe { endpoint_id } => Some(endpoint_id.trust_domain()),
        }
    }

    /// A fetch from it: it begins at the configured URL each time, whatever the last one was redirected to.
    pub fn fetch(&self, redirects: Redirects) -> Fetch<'_> {
        Fetch::new(self, redirects)
    }

    /// By what the other end at `url` is authenticated. `latest` is what is stored; `bootstrap` is used for a self-serving
    /// endpoint as long as nothing is stored of its trust domain, and never again (Federation §5.2.2.4).
    ///
    /// # Errors
    ///
    /// When the bundle that is needed is not there.
    pub fn peer<'a>(
        &'a self,
        url: &'a BundleUrl,
        latest: &'a BundleSet,
        bootstrap: Option<&'a Bundle>,
    ) -> Result<Peer<'a>, EndpointError> {
        let EndpointProfile::HttpsSpiffe { endpoint_id } = &self.profile else {
            return Ok(Peer::Web { host: url.host() });
        };
        let needed = endpoint_id.trust_domain();
        let bootstrap = bootstrap.filter(|bundle| self.is_self_serving() && *bundle.trust_domain() == needed);
        let bundle = latest.get(&needed).map(|bundle| &**bundle).or(bootstrap);
        let bundle = bundle.ok_or(EndpointError::NoBundle(needed))?;
        Ok(Peer::Spiffe { id: endpoint_id, bundle })
    }

    /// Reads an answer: status 200 with a bundle document in UTF-8, of whatever content type. It is the bundle of the
    /// trust domain that was configured.
    pub fn read(&self, status: u16, body: &[u8]) -> Result<ReadBundle, ResponseError> {
        if status != 200 {
            return Err(ResponseError::Status(status));
        }
        let text = std::str::from_utf8(body).map_err(|_| ResponseError::Utf8)?;
        Ok(Bundle::read_spiffe_json(self.trust_domain.clone(), text)?)
    }
}

impl Peer<'_> {
    /// Whether a verified SVID is the endpoint's (Federation §5.2.2.4).
    pub fn is(&self, svid: &VerifiedSvid) -> bool {
        match self {
            Self::Web { .. } => false,
            Self::Spiffe { id, .. } => svid.id() == *id,
        }
    }
}

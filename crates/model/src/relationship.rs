use spiffe::TrustDomain;
use spiffe::endpoint::{BundleUrl, EndpointProfile};

/// A foreign trust domain whose bundle this server is to follow, and where it finds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Relationship {
    /// The foreign trust domain.
    pub trust_domain: TrustDomain,
    /// The number of the change that created it: the order of lists. 0 until stored.
    pub ord: u64,
    /// Where its bundle is served.
    pub endpoint_url: BundleUrl,
    /// How that endpoint proves who it is.
    pub profile: EndpointProfile,
    /// 0 when created, one more at each update.
    pub revision: i64,
}

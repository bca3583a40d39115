use spiffe::{SpiffeId, TrustDomain};

/// A foreign trust domain whose bundle this server is to follow, and where it finds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Relationship {
    /// The foreign trust domain.
    pub trust_domain: TrustDomain,
    /// The number of the change that created it: the order of lists. 0 until stored.
    pub ord: u64,
    /// Where its bundle is served: an `https` URL with a host and without user info.
    pub endpoint_url: String,
    /// How that endpoint proves who it is.
    pub profile: EndpointProfile,
    /// 0 when created, one more at each update.
    pub revision: i64,
}

/// How a bundle endpoint proves who it is (SPIFFE Federation §5.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EndpointProfile {
    /// By a certificate of the web's authorities (`https_web`).
    HttpsWeb,
    /// By an X.509-SVID (`https_spiffe`).
    HttpsSpiffe {
        /// The SPIFFE ID of that SVID.
        endpoint_id: SpiffeId,
    },
}

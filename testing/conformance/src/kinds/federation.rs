//! `bundle-endpoint`, `bundle-fetch`, `bundle-response`, `bundle-succession`, `bundle-refresh`, `bundle-peer` and
//! `bundle-endpoints`: how the bundles of other trust domains are fetched.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::TrustDomain;
use spiffe::bundle::{Bundle, BundleSet, Succession, Verdict, refresh_after};
use spiffe::endpoint::{BundleEndpoint, EndpointProfile, Fetch, Peer, Redirects, check_anchored};
use spiffe::x509::X509Svid;

use super::Outcome;
use super::input::{Bytes, moment};
use super::svid_by_document::Documents;
use crate::format::Input;

/// The kind of a configuration.
pub const ENDPOINT: &str = "bundle-endpoint";
/// The kind of a fetch with its redirects.
pub const FETCH: &str = "bundle-fetch";
/// The kind of an answer.
pub const RESPONSE: &str = "bundle-response";
/// The kind of a bundle that takes another's place.
pub const SUCCESSION: &str = "bundle-succession";
/// The kind of the time until the next fetch.
pub const REFRESH: &str = "bundle-refresh";
/// The kind of a server's certificates.
pub const PEER: &str = "bundle-peer";
/// The kind of several configurations.
pub const ENDPOINTS: &str = "bundle-endpoints";

/// A configuration. What is missing is not configured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Whose bundle it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_domain: Option<String>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// `https_web` or `https_spiffe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Its SPIFFE ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_id: Option<String>,
}

/// A fetch that is redirected.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirected {
    /// The configured URL.
    pub url: String,
    /// Whether redirects are followed.
    pub follow: bool,
    /// The answers, one after another: their HTTP status and the values of their header `Location`.
    pub answers: Vec<(u16, Vec<String>)>,
}

/// An answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Whose bundle was asked for.
    pub trust_domain: String,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// Documents of one endpoint, in the order in which they were fetched.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetched {
    /// The trust domain and the document that is stored.
    pub stored: (String, String),
    /// The trust domain and the document of each fetch after that.
    pub fetched: Vec<(String, String)>,
}

/// What the stored bundle says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    /// In seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_hint: Option<u64>,
}

/// A server that is connected to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// What is configured.
    pub endpoint: Endpoint,
    /// The bundles that are stored.
    pub latest: Documents,
    /// The document that was given to begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<String>,
    /// The certificates that the server presents, DER.
    pub chain: Vec<Bytes>,
    /// When it is judged, in seconds since 1970.
    pub now: i64,
}

/// Endpoints that are configured together.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// All of them.
    pub endpoints: Vec<Endpoint>,
    /// The trust domains whose bundles are there to begin with.
    pub bundles: Vec<String>,
}

macro_rules! inputs {
    ($($members:ident $kind:ident;)*) => {
        $(impl From<$members> for Input {
            fn from(members: $members) -> Self {
                Self { kind: $kind, members: json!(members) }
            }
        })*
    };
}

inputs! {
    Endpoint ENDPOINT;
    Redirected FETCH;
    Response RESPONSE;
    Fetched SUCCESSION;
    Hint REFRESH;
    Server PEER;
    Endpoints ENDPOINTS;
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Endpoint {
    fn configured(&self) -> Result<BundleEndpoint, String> {
        let [trust_domain, url, profile, id] =
            [&self.trust_domain, &self.url, &self.profile, &self.endpoint_id].map(Option::as_deref);
        BundleEndpoint::configure(trust_domain, url, profile, id).map_err(text)
    }
}

fn bundle(name: &str, document: &str) -> Result<Bundle, String> {
    Bundle::parse_spiffe_json(TrustDomain::parse(name).map_err(text)?, document).map_err(text)
}

pub(super) fn judge_endpoint(members: Endpoint) -> Outcome {
    let endpoint = members.configured()?;
    let profile = match endpoint.profile() {
        EndpointProfile::HttpsWeb => "https_web",
        EndpointProfile::HttpsSpiffe { .. } => "https_spiffe",
    };
    Ok(
        json!({ "trust_domain": endpoint.trust_domain().as_str(), "url": endpoint.url().as_str(), "profile": profile }),
    )
}

/// Accepted if every answer but the last, which is the bundle, may be followed. The outcome has where the fetch ended, and
/// where the next one begins.
pub(super) fn judge_fetch(members: Redirected) -> Outcome {
    let endpoint =
        BundleEndpoint::configure(Some("example.org"), Some(&members.url), Some("https_web"), None)
            .map_err(text)?;
    let redirects = if members.follow { Redirects::Followed } else { Redirects::Refused };
    let mut fetch = endpoint.fetch(redirects);
    for (status, locations) in &members.answers {
        if !Fetch::is_redirect(*status) {
            return Err(format!("{status} is no redirect"));
        }
        fetch.redirect(locations.iter().map(String::as_str)).map_err(text)?;
    }
    let next = endpoint.fetch(redirects);
    Ok(json!({ "url": fetch.url().as_str(), "next": next.url().as_str() }))
}

pub(super) fn judge_response(members: Response) -> Outcome {
    let endpoint = BundleEndpoint::configure(
        Some(&members.trust_domain),
        Some("https://example.org"),
        Some("https_web"),
        None,
    );
    let read = endpoint.map_err(text)?.read(members.status, &members.body.0).map_err(text)?;
    Ok(json!({ "trust_domain": read.bundle.trust_domain().as_str(), "sequence": read.bundle.sequence }))
}

/// Accepted if the last bundle is the stored one in the end.
pub(super) fn judge_succession(members: Fetched) -> Outcome {
    let mut stored = bundle(&members.stored.0, &members.stored.1)?;
    let (mut order, mut last) = (Succession::default(), Verdict::Unchanged);
    for (name, document) in &members.fetched {
        let fetched = bundle(name, document)?;
        last = order.judge(&stored, &fetched);
        if last == Verdict::Take {
            stored = fetched;
        }
    }
    match last {
        Verdict::Take | Verdict::Unchanged => Ok(json!({ "sequence": stored.sequence })),
        Verdict::Behind | Verdict::OtherTrustDomain => Err(format!("{last:?}")),
    }
}

pub(super) fn judge_refresh(members: Hint) -> Outcome {
    Ok(json!({ "seconds": refresh_after(members.refresh_hint.map(Duration::from_secs)).as_secs() }))
}

/// A peer of the web is not judged by an SVID, so that none is accepted for it.
pub(super) fn judge_peer(members: Server) -> Outcome {
    let endpoint = members.endpoint.configured()?;
    let latest = members.latest.iter().map(|(name, text)| bundle(name, text).map(Arc::new));
    let latest: BundleSet = latest.collect::<Result<_, _>>()?;
    let bootstrap = members.bootstrap.as_deref();
    let bootstrap = bootstrap.map(|text| bundle(endpoint.trust_domain().as_str(), text)).transpose()?;
    let peer = endpoint.peer(endpoint.url(), &latest, bootstrap.as_ref()).map_err(text)?;
    let Peer::Spiffe { bundle, .. } = peer else { return Err("it is a peer of the web".to_owned()) };
    let svid = X509Svid::parse_chain(members.chain.into_iter().map(|der| der.0)).map_err(text)?;
    let verified = svid.verify(bundle, moment(members.now)).map_err(text)?;
    match peer.is(&verified) {
        true => Ok(json!({ "id": verified.id().as_str() })),
        false => Err(format!("it is {}", verified.id())),
    }
}

pub(super) fn judge_endpoints(members: Endpoints) -> Outcome {
    let endpoints: Result<Vec<_>, _> = members.endpoints.iter().map(Endpoint::configured).collect();
    check_anchored(&endpoints?, |td| members.bundles.iter().any(|name| name == td.as_str())).map_err(text)?;
    Ok(json!({}))
}

//! Where documents are fetched from, and by which rules: the Workload API's socket (SPIFFE_Workload_Endpoint) and the
//! bundle endpoints of other trust domains (SPIFFE_Federation). Names and rules alone: whoever connects asks here first.

mod bundle_endpoint;
mod bundle_url;
mod chains;
mod fetch;
mod header;
mod reference;
mod uri;
mod workload;

pub use bundle_endpoint::{BundleEndpoint, EndpointError, EndpointProfile, Peer, ResponseError};
pub use bundle_url::{BundleUrl, BundleUrlError};
pub use chains::{Unanchored, check_anchored};
pub use fetch::{Fetch, MAX_REDIRECTS, RedirectError, Redirects};
pub use header::{HeaderError, WORKLOAD_HEADER, check_workload_header};
pub use uri::UriError;
pub use workload::{ENDPOINT_SOCKET_VARIABLE, LocateError, Place, WorkloadEndpoint, WorkloadEndpointError};

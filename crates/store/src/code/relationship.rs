//! Federation relationships.

use model::Relationship;
use prost::Message;
use spiffe::endpoint::{BundleUrl, EndpointProfile};

use super::CodeError;
use super::text::{id_of, trust_domain_of};

#[derive(Clone, PartialEq, Message)]
struct StoredRelationship {
    #[prost(string, tag = "1")]
    trust_domain: String,
    #[prost(uint64, tag = "2")]
    ord: u64,
    #[prost(string, tag = "3")]
    endpoint_url: String,
    /// The endpoint's SPIFFE ID; none where it shows a certificate of the web.
    #[prost(string, optional, tag = "4")]
    endpoint_id: Option<String>,
    #[prost(int64, tag = "5")]
    revision: i64,
}

pub(crate) fn relationship_bytes(relationship: &Relationship) -> Vec<u8> {
    StoredRelationship {
        trust_domain: relationship.trust_domain.as_str().to_owned(),
        ord: relationship.ord,
        endpoint_url: relationship.endpoint_url.to_string(),
        endpoint_id: match &relationship.profile {
            EndpointProfile::HttpsWeb => None,
            EndpointProfile::HttpsSpiffe { endpoint_id } => Some(endpoint_id.as_str().to_owned()),
        },
        revision: relationship.revision,
    }
    .encode_to_vec()
}

pub(crate) fn relationship_of(bytes: &[u8]) -> Result<Relationship, CodeError> {
    let stored = StoredRelationship::decode(bytes)?;
    Ok(Relationship {
        trust_domain: trust_domain_of("trust_domain", &stored.trust_domain)?,
        ord: stored.ord,
        endpoint_url: BundleUrl::parse(&stored.endpoint_url)
            .map_err(|why| CodeError::field("endpoint_url", why))?,
        profile: match stored.endpoint_id {
            None => EndpointProfile::HttpsWeb,
            Some(id) => EndpointProfile::HttpsSpiffe { endpoint_id: id_of("endpoint_id", &id)? },
        },
        revision: stored.revision,
    })
}

//! Federation relationships.

use proto::spire::api::server::trustdomain::v1::{
    BatchCreateFederationRelationshipResponse, BatchDeleteFederationRelationshipResponse,
    BatchUpdateFederationRelationshipResponse, ListFederationRelationshipsResponse,
    batch_create_federation_relationship_response, batch_delete_federation_relationship_response,
    batch_update_federation_relationship_response,
};
use proto::spire::api::types::FederationRelationship;
use proto::spire::api::types::federation_relationship::BundleEndpointProfile;
use serde_json::{Value, json};

use super::{ToJson, list, maybe, present};

impl ToJson for FederationRelationship {
    fn to_json(&self) -> Value {
        let (web, spiffe) = match &self.bundle_endpoint_profile {
            Some(BundleEndpointProfile::HttpsWeb(_)) => (json!({}), Value::Null),
            Some(BundleEndpointProfile::HttpsSpiffe(profile)) => {
                (Value::Null, json!({"endpoint_spiffe_id": profile.endpoint_spiffe_id}))
            }
            None => (Value::Null, Value::Null),
        };
        present(json!({
            "trust_domain": self.trust_domain,
            "bundle_endpoint_url": self.bundle_endpoint_url,
            "https_web": web,
            "https_spiffe": spiffe,
            "trust_domain_bundle": maybe(self.trust_domain_bundle.as_ref()),
        }))
    }
}

impl ToJson for ListFederationRelationshipsResponse {
    fn to_json(&self) -> Value {
        json!({
            "federation_relationships": list(&self.federation_relationships),
            "next_page_token": self.next_page_token,
        })
    }
}

impl ToJson for BatchCreateFederationRelationshipResponse {
    fn to_json(&self) -> Value {
        json!({"results": list(&self.results)})
    }
}

impl ToJson for batch_create_federation_relationship_response::Result {
    fn to_json(&self) -> Value {
        present(json!({
            "status": maybe(self.status.as_ref()),
            "federation_relationship": maybe(self.federation_relationship.as_ref()),
        }))
    }
}

impl ToJson for BatchUpdateFederationRelationshipResponse {
    fn to_json(&self) -> Value {
        json!({"results": list(&self.results)})
    }
}

impl ToJson for batch_update_federation_relationship_response::Result {
    fn to_json(&self) -> Value {
        present(json!({
            "status": maybe(self.status.as_ref()),
            "federation_relationship": maybe(self.federation_relationship.as_ref()),
        }))
    }
}

impl ToJson for BatchDeleteFederationRelationshipResponse {
    fn to_json(&self) -> Value {
        json!({"results": list(&self.results)})
    }
}

impl ToJson for batch_delete_federation_relationship_response::Result {
    fn to_json(&self) -> Value {
        present(json!({"status": maybe(self.status.as_ref()), "trust_domain": self.trust_domain}))
    }
}

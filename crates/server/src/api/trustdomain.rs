//! `spire.api.server.trustdomain.v1.TrustDomain`: which foreign trust domains this server is to follow.

use std::sync::Arc;

use model::{Expect, Relationship, Write, WriteFault};
use proto::spire::api::server::trustdomain::v1 as wire;
use proto::spire::api::types;
use spiffe::TrustDomain;
use spiffe::bundle::Bundle;
use spiffe::endpoint::EndpointProfile;
use tonic::{Code, Request, Response, Status};

use super::bundle_wire;
use super::failure::{self, invalid, item_of, refuse};
use super::page::Page;
use super::relationship_wire::{self, Wanted, wire_relationship};
use crate::registry::{Registry, RegistryError};

/// How often an update is computed anew when another writer came first.
const ATTEMPTS: usize = 8;

/// The service.
pub struct TrustDomainApi {
    trust_domain: TrustDomain,
    registry: Arc<Registry>,
}

impl TrustDomainApi {
    /// The relationships of `trust_domain` that `registry` keeps.
    pub fn new(trust_domain: TrustDomain, registry: Arc<Registry>) -> Self {
        Self { trust_domain, registry }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl wire::trust_domain_server::TrustDomain for TrustDomainApi {
    async fn list_federation_relationships(
        &self,
        request: Request<wire::ListFederationRelationshipsRequest>,
    ) -> Answer<wire::ListFederationRelationshipsResponse> {
        let request = request.into_inner();
        let page = Page::of(request.page_size, &request.page_token)
            .map_err(|e| invalid("failed to list federation relationships", e.message()))?;
        let snapshot = self.registry.snapshot();
        let mut found: Vec<_> = snapshot.relationships().filter(|r| r.ord > page.after()).collect();
        found.sort_by_key(|r| r.ord);
        let mask = request.output_mask.as_ref();
        let wire = |r: &&Arc<Relationship>| {
            wire_relationship(r, snapshot.bundle(&r.trust_domain).map(|b| &**b), mask)
        };
        let (federation_relationships, next_page_token) = page.cut(found.into_iter(), |r| r.ord, wire);
        Ok(Response::new(wire::ListFederationRelationshipsResponse {
            federation_relationships,
            next_page_token,
        }))
    }

    async fn get_federation_relationship(
        &self,
        request: Request<wire::GetFederationRelationshipRequest>,
    ) -> Answer<types::FederationRelationship> {
        let request = request.into_inner();
        let td = parsed(&request.trust_domain)?;
        let found = self.find_sure(&td).await?;
        let found = found.ok_or_else(|| refuse(Code::NotFound, "federation relationship does not exist"))?;
        let snapshot = self.registry.snapshot();
        let bundle = snapshot.bundle(&td).map(|b| &**b);
        Ok(Response::new(wire_relationship(&found, bundle, request.output_mask.as_ref())))
    }

    async fn batch_create_federation_relationship(
        &self,
        request: Request<wire::BatchCreateFederationRelationshipRequest>,
    ) -> Answer<wire::BatchCreateFederationRelationshipResponse> {
        let request = request.into_inner();
        failure::bounded(request.federation_relationships.len(), failure::MAX_BATCH)?;
        let mut results = Vec::with_capacity(request.federation_relationships.len());
        for one in &request.federation_relationships {
            let (status, federation_relationship) = match self.create(one).await {
                Ok(done) => {
                    let bundle = done.bundle.as_ref();
                    let wire = wire_relationship(&done.relationship, bundle, request.output_mask.as_ref());
                    (failure::ok(), Some(wire))
                }
                Err(status) => (item_of(&status), None),
            };
            let result = wire::batch_create_federation_relationship_response::Result {
                status,
                federation_relationship,
            };
            results.push(result);
        }
        Ok(Response::new(wire::BatchCreateFederationRelationshipResponse { results }))
    }

    async fn batch_update_federation_relationship(
        &self,
        request: Request<wire::BatchUpdateFederationRelationshipRequest>,
    ) -> Answer<wire::BatchUpdateFederationRelationshipResponse> {
        let request = request.into_inner();
        failure::bounded(request.federation_relationships.len(), failure::MAX_BATCH)?;
        let mask = request.input_mask.unwrap_or_else(relationship_wire::full_mask);
        let mut results = Vec::with_capacity(request.federation_relationships.len());
        for one in &request.federation_relationships {
            let (status, federation_relationship) = match self.update(one, &mask).await {
                Ok(relationship) => {
                    let snapshot = self.registry.snapshot();
                    let bundle = snapshot.bundle(&relationship.trust_domain).map(|b| &**b);
                    let wire = wire_relationship(&relationship, bundle, request.output_mask.as_ref());
                    (failure::ok(), Some(wire))
                }
                Err(status) => (item_of(&status), None),
            };
            let result = wire::batch_update_federation_relationship_response::Result {
                status,
                federation_relationship,
            };
            results.push(result);
        }
        Ok(Response::new(wire::BatchUpdateFederationRelationshipResponse { results }))
    }

    async fn batch_delete_federation_relationship(
        &self,
        request: Request<wire::BatchDeleteFederationRelationshipRequest>,
    ) -> Answer<wire::BatchDeleteFederationRelationshipResponse> {
        let trust_domains = request.into_inner().trust_domains;
        failure::bounded(trust_domains.len(), failure::MAX_BATCH)?;
        let mut results = Vec::with_capacity(trust_domains.len());
        for text in trust_domains {
            let (trust_domain, status) = match self.delete(&text).await {
                Ok(td) => (td.as_str().to_owned(), failure::ok()),
                Err(status) => (text, item_of(&status)),
            };
            results
                .push(wire::batch_delete_federation_relationship_response::Result { status, trust_domain });
        }
        Ok(Response::new(wire::BatchDeleteFederationRelationshipResponse { results }))
    }

    async fn refresh_bundle(&self, request: Request<wire::RefreshBundleRequest>) -> Answer<()> {
        let td = parsed(&request.into_inner().trust_domain)?;
        match self.find_sure(&td).await? {
            None => Err(refuse(Code::NotFound, &format!("no relationship with trust domain \"{td}\""))),
            Some(_) => Err(refuse(
                Code::Unimplemented,
                "failed to refresh bundle: this server does not fetch from bundle endpoints yet; \
                 give it the bundle with `bundle set`",
            )),
        }
    }
}

impl TrustDomainApi {
    /// The relationship with a trust domain. That there is none is said only by the newest state of the registry.
    async fn find_sure(&self, td: &TrustDomain) -> Result<Option<Arc<Relationship>>, Status> {
        if let Some(found) = self.registry.snapshot().relationship(td) {
            return Ok(Some(found.clone()));
        }
        let failed = |e| failure::registry("failed to fetch federation relationship", &e);
        self.registry.catch_up().await.map_err(failed)?;
        Ok(self.registry.snapshot().relationship(td).cloned())
    }

    async fn create(&self, wire: &types::FederationRelationship) -> Result<Wanted, Status> {
        let new = wanted(wire)?;
        if new.relationship.trust_domain == self.trust_domain {
            let why = "unable to create federation relationship for server trust domain";
            return Err(refuse(Code::InvalidArgument, why));
        }
        let write = put(new.relationship.clone(), new.bundle.clone(), Expect::Absent);
        let failed = |e| failure::registry("failed to create federation relationship", &e);
        self.registry.write(write).await.map_err(failed)?;
        self.warn_without_bundle(&new.relationship, new.bundle.as_ref());
        tracing::debug!(trust_domain_id = %new.relationship.trust_domain, "Federation relationship created");
        Ok(new)
    }

    async fn update(
        &self,
        wire: &types::FederationRelationship,
        mask: &types::FederationRelationshipMask,
    ) -> Result<Relationship, Status> {
        const FAILED: &str = "failed to update federation relationship";
        let new = wanted(wire)?;
        let bundle = new.bundle.filter(|_| mask.trust_domain_bundle);
        for _ in 0..ATTEMPTS {
            let old = self.find_sure(&new.relationship.trust_domain).await?.ok_or_else(|| {
                refuse(
                    Code::NotFound,
                    "failed to update federation relationship: there is none with this trust domain",
                )
            })?;
            let merged = relationship_wire::merged(&old, &new.relationship, mask);
            let expect = Expect::Revision(old.revision.unsigned_abs());
            match self.registry.write(put(merged.clone(), bundle.clone(), expect)).await {
                Ok(_) => {
                    self.warn_without_bundle(&merged, bundle.as_ref());
                    tracing::debug!(trust_domain_id = %merged.trust_domain, "Federation relationship updated");
                    return Ok(merged);
                }
                Err(RegistryError::Refused(WriteFault::Conflict(_) | WriteFault::NotFound(_))) => {
                    self.registry.catch_up().await.map_err(|e| failure::registry(FAILED, &e))?;
                }
                Err(error) => return Err(failure::registry(FAILED, &error)),
            }
        }
        Err(refuse(
            Code::Aborted,
            "failed to update federation relationship: others keep changing it; try again",
        ))
    }

    async fn delete(&self, text: &str) -> Result<TrustDomain, Status> {
        if text.is_empty() {
            return Err(refuse(Code::InvalidArgument, "missing trust domain"));
        }
        let td = parsed(text)?;
        match self.registry.write(Write::DeleteRelationship(td.clone())).await {
            Ok(_) => {
                tracing::debug!(trust_domain_id = %td, "Federation relationship deleted");
                Ok(td)
            }
            Err(RegistryError::Refused(WriteFault::NotFound(_))) => {
                Err(refuse(Code::NotFound, "federation relationship not found"))
            }
            Err(error) => Err(failure::registry("failed to delete federation relationship", &error)),
        }
    }

    /// An endpoint that shows an SVID can be believed only with the bundle of the SVID's trust domain.
    fn warn_without_bundle(&self, relationship: &Relationship, given: Option<&Bundle>) {
        let EndpointProfile::HttpsSpiffe { endpoint_id } = &relationship.profile else { return };
        let td = endpoint_id.trust_domain();
        if given.is_none_or(|b| *b.trust_domain() != td) && self.registry.snapshot().bundle(&td).is_none() {
            tracing::warn!(
                trust_domain_id = %relationship.trust_domain,
                endpoint_spiffe_id = %endpoint_id,
                "bundle not found for the endpoint SPIFFE ID trust domain"
            );
        }
    }
}

fn wanted(wire: &types::FederationRelationship) -> Result<Wanted, Status> {
    relationship_wire::wanted(wire).map_err(|why| invalid("failed to convert federation relationship", why))
}

fn parsed(text: &str) -> Result<TrustDomain, Status> {
    bundle_wire::trust_domain(text).map_err(|e| invalid("failed to parse trust domain", e))
}

/// The relationship and the bundle that came with it, together or not at all.
fn put(relationship: Relationship, bundle: Option<Bundle>, expect: Expect) -> Write {
    let bundle = bundle.map(|bundle| Write::PutBundle { bundle, expect: Expect::Any });
    Write::All(bundle.into_iter().chain([Write::PutRelationship { relationship, expect }]).collect())
}

#[cfg(test)]
mod tests;

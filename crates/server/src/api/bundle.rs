//! `spire.api.server.bundle.v1.Bundle`: the trust domain's own bundle, and those of others.

use std::sync::Arc;

use model::ports::UpstreamAuthority;
use model::{DissociateMode, Expect, Write, WriteFault};
use proto::spire::api::server::bundle::v1 as wire;
use proto::spire::api::server::bundle::v1::batch_delete_federated_bundle_request::Mode;
use proto::spire::api::types;
use spiffe::TrustDomain;
use spiffe::bundle::Bundle;
use tonic::{Code, Request, Response, Status};

use super::bundle_wire::{self, wire_bundle};
use super::failure;
use super::failure::{item_of, limited, refuse, refuse_for};
use crate::authority::{AmendError, amend};
use crate::authz::Caller;
use crate::authz::Kind;
use crate::registry::{Registry, RegistryError};

/// How often an update is computed anew when another writer came first.
const ATTEMPTS: usize = 8;

/// The service.
pub struct BundleApi {
    trust_domain: TrustDomain,
    registry: Arc<Registry>,
    upstream: Option<Arc<dyn UpstreamAuthority>>,
}

impl BundleApi {
    /// The bundles of `registry`, of which the one of `trust_domain` is this server's own. JWT keys that servers below
    /// publish go on to the `upstream` authority, if there is one.
    pub fn new(
        trust_domain: TrustDomain,
        registry: Arc<Registry>,
        upstream: Option<Arc<dyn UpstreamAuthority>>,
    ) -> Self {
        Self { trust_domain, registry, upstream }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl wire::bundle_server::Bundle for BundleApi {
    async fn count_bundles(
        &self,
        _: Request<wire::CountBundlesRequest>,
    ) -> Answer<wire::CountBundlesResponse> {
        let count = self.registry.snapshot().bundles().count();
        Ok(Response::new(wire::CountBundlesResponse { count: i32::try_from(count).unwrap_or(i32::MAX) }))
    }

    async fn get_bundle(&self, request: Request<wire::GetBundleRequest>) -> Answer<types::Bundle> {
        let mask = request.into_inner().output_mask;
        self.stored(&self.trust_domain).await.map(|bundle| Response::new(wire_bundle(&bundle, mask.as_ref())))
    }

    async fn append_bundle(&self, request: Request<wire::AppendBundleRequest>) -> Answer<types::Bundle> {
        let request = request.into_inner();
        if request.jwt_authorities.is_empty() && request.x509_authorities.is_empty() {
            return Err(refuse(Code::InvalidArgument, "no authorities to append"));
        }
        let jwt = bundle_wire::jwt_authorities(&request.jwt_authorities)
            .map_err(|e| refuse_for(Code::InvalidArgument, "failed to convert JWT authority", e))?;
        let x509 = bundle_wire::x509_authorities(&request.x509_authorities)
            .map_err(|e| refuse_for(Code::InvalidArgument, "failed to convert X.509 authority", e))?;
        let append = |bundle: &mut Bundle| bundle_wire::add_all(bundle, &x509, &jwt);
        let bundle = amend(&self.registry, &self.trust_domain, append, Vec::new())
            .await
            .map_err(|e| amend_failed("failed to append bundle", &e))?;
        Ok(Response::new(wire_bundle(&bundle, request.output_mask.as_ref())))
    }

    async fn publish_jwt_authority(
        &self,
        request: Request<wire::PublishJwtAuthorityRequest>,
    ) -> Answer<wire::PublishJwtAuthorityResponse> {
        let caller = Caller::of(&request)?.clone();
        caller.require_downstream()?;
        caller
            .throttle(Kind::Publish, 1)
            .await
            .map_err(|e| limited("rejecting request due to key publishing rate limiting", &e))?;
        let Some(key) = request.into_inner().jwt_authority else {
            return Err(refuse(Code::InvalidArgument, "missing JWT authority"));
        };
        let keys = bundle_wire::jwt_authorities(&[key])
            .map_err(|e| refuse_for(Code::InvalidArgument, "invalid JWT authority", e))?;
        if let Some(upstream) = &self.upstream {
            for key in &keys {
                let done = upstream.publish_jwt(key).await;
                done.map_err(|e| refuse_for(Code::Unavailable, "failed to publish JWT key", e))?;
            }
        }
        let add = |bundle: &mut Bundle| bundle_wire::add_all(bundle, &[], &keys);
        let bundle = amend(&self.registry, &self.trust_domain, add, Vec::new())
            .await
            .map_err(|e| amend_failed("failed to publish JWT key", &e))?;
        let jwt_authorities = bundle_wire::wire_jwt_keys(&bundle);
        Ok(Response::new(wire::PublishJwtAuthorityResponse { jwt_authorities }))
    }

    async fn publish_wit_authority(
        &self,
        _: Request<wire::PublishWitAuthorityRequest>,
    ) -> Answer<wire::PublishWitAuthorityResponse> {
        Err(refuse(Code::Unimplemented, "WIT-SVID functionality is not yet implemented"))
    }

    async fn list_federated_bundles(
        &self,
        request: Request<wire::ListFederatedBundlesRequest>,
    ) -> Answer<wire::ListFederatedBundlesResponse> {
        let request = request.into_inner();
        let size = usize::try_from(request.page_size).ok().filter(|size| *size > 0);
        let after = match (size, request.page_token.as_str()) {
            (None, _) | (_, "") => None,
            (_, token) => Some(TrustDomain::parse(token).map_err(|_| {
                let cause =
                    format!("could not parse token '{token}': use the next_page_token of the page before");
                refuse_for(Code::InvalidArgument, "failed to list bundles", cause)
            })?),
        };
        let snapshot = self.registry.snapshot();
        let bundles: Vec<types::Bundle> = snapshot
            .bundles()
            .filter(|bundle| *bundle.trust_domain() != self.trust_domain)
            .filter(|bundle| after.as_ref().is_none_or(|after| bundle.trust_domain() > after))
            .take(size.unwrap_or(usize::MAX))
            .map(|bundle| wire_bundle(bundle, request.output_mask.as_ref()))
            .collect();
        let next_page_token = match (size, bundles.last()) {
            (Some(_), Some(last)) => last.trust_domain.clone(),
            _ => String::new(),
        };
        Ok(Response::new(wire::ListFederatedBundlesResponse { bundles, next_page_token }))
    }

    async fn get_federated_bundle(
        &self,
        request: Request<wire::GetFederatedBundleRequest>,
    ) -> Answer<types::Bundle> {
        let request = request.into_inner();
        let td = self.foreign(&request.trust_domain, Verb::Getting)?;
        let bundle = self.stored(&td).await?;
        Ok(Response::new(wire_bundle(&bundle, request.output_mask.as_ref())))
    }

    async fn batch_create_federated_bundle(
        &self,
        request: Request<wire::BatchCreateFederatedBundleRequest>,
    ) -> Answer<wire::BatchCreateFederatedBundleResponse> {
        let request = request.into_inner();
        failure::bounded(request.bundle.len(), failure::MAX_BATCH)?;
        let mut results = Vec::with_capacity(request.bundle.len());
        for bundle in &request.bundle {
            let done = self.create(bundle).await;
            let (status, bundle) = outcome(done, request.output_mask.as_ref());
            results.push(wire::batch_create_federated_bundle_response::Result { status, bundle });
        }
        Ok(Response::new(wire::BatchCreateFederatedBundleResponse { results }))
    }

    async fn batch_update_federated_bundle(
        &self,
        request: Request<wire::BatchUpdateFederatedBundleRequest>,
    ) -> Answer<wire::BatchUpdateFederatedBundleResponse> {
        let request = request.into_inner();
        failure::bounded(request.bundle.len(), failure::MAX_BATCH)?;
        let mut results = Vec::with_capacity(request.bundle.len());
        for bundle in &request.bundle {
            let done = self.update(bundle, request.input_mask.as_ref()).await;
            let (status, bundle) = outcome(done, request.output_mask.as_ref());
            results.push(wire::batch_update_federated_bundle_response::Result { status, bundle });
        }
        Ok(Response::new(wire::BatchUpdateFederatedBundleResponse { results }))
    }

    async fn batch_set_federated_bundle(
        &self,
        request: Request<wire::BatchSetFederatedBundleRequest>,
    ) -> Answer<wire::BatchSetFederatedBundleResponse> {
        let request = request.into_inner();
        failure::bounded(request.bundle.len(), failure::MAX_BATCH)?;
        let mut results = Vec::with_capacity(request.bundle.len());
        for bundle in &request.bundle {
            let done = self.set(bundle).await;
            let (status, bundle) = outcome(done, request.output_mask.as_ref());
            results.push(wire::batch_set_federated_bundle_response::Result { status, bundle });
        }
        Ok(Response::new(wire::BatchSetFederatedBundleResponse { results }))
    }

    async fn batch_delete_federated_bundle(
        &self,
        request: Request<wire::BatchDeleteFederatedBundleRequest>,
    ) -> Answer<wire::BatchDeleteFederatedBundleResponse> {
        let request = request.into_inner();
        failure::bounded(request.trust_domains.len(), failure::MAX_BATCH)?;
        let mode = match Mode::try_from(request.mode) {
            Ok(Mode::Restrict) => DissociateMode::Restrict,
            Ok(Mode::Delete) => DissociateMode::Delete,
            Ok(Mode::Dissociate) => DissociateMode::Dissociate,
            Err(_) => {
                let cause = format!("unhandled delete mode \"{}\"", request.mode);
                return Err(refuse_for(Code::InvalidArgument, "failed to parse deletion mode", cause));
            }
        };
        let mut results = Vec::with_capacity(request.trust_domains.len());
        for trust_domain in request.trust_domains {
            let status = match self.delete(&trust_domain, mode).await {
                Ok(()) => failure::ok(),
                Err(status) => item_of(&status),
            };
            results.push(wire::batch_delete_federated_bundle_response::Result { status, trust_domain });
        }
        Ok(Response::new(wire::BatchDeleteFederatedBundleResponse { results }))
    }
}

impl BundleApi {
    /// A stored bundle. That there is none is said only by the newest state of the registry.
    async fn stored(&self, td: &TrustDomain) -> Result<Arc<Bundle>, Status> {
        if let Some(bundle) = self.registry.snapshot().bundle(td) {
            return Ok(bundle.clone());
        }
        self.registry.catch_up().await.map_err(|e| failure::registry("failed to fetch bundle", &e))?;
        let found = self.registry.snapshot().bundle(td).cloned();
        found.ok_or_else(|| refuse(Code::NotFound, "bundle not found"))
    }

    /// A trust domain that is not this server's own.
    fn foreign(&self, text: &str, verb: Verb) -> Result<TrustDomain, Status> {
        let td = bundle_wire::trust_domain(text)
            .map_err(|e| refuse_for(Code::InvalidArgument, "trust domain argument is not valid", e))?;
        if td == self.trust_domain {
            return Err(refuse(Code::InvalidArgument, verb.own_refused()));
        }
        Ok(td)
    }

    fn parse(&self, wire: &types::Bundle, verb: Verb) -> Result<Bundle, Status> {
        let td = self.foreign(&wire.trust_domain, verb)?;
        bundle_wire::bundle(&td, wire)
            .map_err(|e| refuse_for(Code::InvalidArgument, "failed to convert bundle", e))
    }

    async fn create(&self, wire: &types::Bundle) -> Result<Bundle, Status> {
        let bundle = self.parse(wire, Verb::Creating)?;
        match self.put(&bundle, Expect::Absent).await {
            Ok(()) => {
                tracing::debug!(trust_domain_id = %bundle.trust_domain(), "Federated bundle created");
                Ok(bundle)
            }
            Err(RegistryError::Refused(WriteFault::Exists(_) | WriteFault::Conflict(_))) => {
                Err(refuse(Code::AlreadyExists, "bundle already exists"))
            }
            Err(error) => Err(failure::registry("unable to create bundle", &error)),
        }
    }

    async fn update(&self, wire: &types::Bundle, mask: Option<&types::BundleMask>) -> Result<Bundle, Status> {
        let new = self.parse(wire, Verb::Updating)?;
        for _ in 0..ATTEMPTS {
            let old = self.stored(new.trust_domain()).await?;
            let expect = Expect::Revision(old.sequence);
            let bundle = bundle_wire::merged(&old, &new, mask)
                .map_err(|e| refuse_for(Code::InvalidArgument, "failed to convert bundle", e))?;
            match self.put(&bundle, expect).await {
                Ok(()) => {
                    tracing::debug!(trust_domain_id = %bundle.trust_domain(), "Federated bundle updated");
                    return Ok(bundle);
                }
                Err(RegistryError::Refused(WriteFault::Conflict(_) | WriteFault::NotFound(_))) => {
                    self.registry
                        .catch_up()
                        .await
                        .map_err(|e| failure::registry("failed to update bundle", &e))?;
                }
                Err(error) => return Err(failure::registry("failed to update bundle", &error)),
            }
        }
        Err(refuse(
            Code::Aborted,
            "failed to update bundle: it is being changed by others all the time; try again",
        ))
    }

    async fn set(&self, wire: &types::Bundle) -> Result<Bundle, Status> {
        let bundle = self.parse(wire, Verb::Setting)?;
        self.put(&bundle, Expect::Any).await.map_err(|e| failure::registry("failed to set bundle", &e))?;
        tracing::info!(trust_domain_id = %bundle.trust_domain(), "Bundle set successfully");
        Ok(bundle)
    }

    async fn delete(&self, text: &str, mode: DissociateMode) -> Result<(), Status> {
        let trust_domain = self.foreign(text, Verb::Removing)?;
        match self.registry.write(Write::DeleteBundle { trust_domain, mode }).await {
            Ok(_) => Ok(()),
            Err(RegistryError::Refused(WriteFault::NotFound(_))) => {
                Err(refuse(Code::NotFound, "bundle not found"))
            }
            Err(error) => Err(failure::registry("failed to delete federated bundle", &error)),
        }
    }

    async fn put(&self, bundle: &Bundle, expect: Expect) -> Result<(), RegistryError> {
        self.registry.write(Write::PutBundle { bundle: bundle.clone(), expect }).await.map(|_| ())
    }
}

/// What is done to a bundle, which must not be this server's own.
#[derive(Clone, Copy)]
enum Verb {
    Getting,
    Creating,
    Updating,
    Setting,
    Removing,
}

impl Verb {
    fn own_refused(self) -> &'static str {
        match self {
            Verb::Getting => "getting a federated bundle for the server's own trust domain is not allowed",
            Verb::Creating => "creating a federated bundle for the server's own trust domain is not allowed",
            Verb::Updating => "updating a federated bundle for the server's own trust domain is not allowed",
            Verb::Setting => "setting a federated bundle for the server's own trust domain is not allowed",
            Verb::Removing => "removing the bundle for the server trust domain is not allowed",
        }
    }
}

fn outcome(
    done: Result<Bundle, Status>,
    mask: Option<&types::BundleMask>,
) -> (Option<types::Status>, Option<types::Bundle>) {
    match done {
        Ok(bundle) => (failure::ok(), Some(wire_bundle(&bundle, mask))),
        Err(status) => (item_of(&status), None),
    }
}

fn amend_failed(message: &str, error: &AmendError) -> Status {
    match error {
        AmendError::Registry(error) => failure::registry(message, error),
        AmendError::Bundle(error) => refuse_for(Code::InvalidArgument, message, error),
        AmendError::Contended(_) => refuse_for(Code::Unavailable, message, error),
    }
}

#[cfg(test)]
mod tests;

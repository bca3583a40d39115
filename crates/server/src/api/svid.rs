//! `spire.api.server.svid.v1.SVID`: what agents and operators have signed.

mod wit;

use std::collections::HashMap;
use std::sync::Arc;

use kit::clock::Clock;
use model::UnixTime;
use proto::spire::api::server::svid::v1 as wire;
use proto::spire::api::types;
use spiffe::x509::Csr;
use spiffe::{SpiffeId, TrustDomain};
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};

use super::convert::{self, wire_id};
use super::dns;
use super::failure;
use super::failure::{item_of, limited, refuse, refuse_for};
use crate::authority::{
    Authorities, IssuedToken, IssuedX509, MintJwt, MintWit, MintX509, NewX509, SignError, WorkloadKey,
    seconds,
};
use crate::authz::Kind;
use crate::authz::{AuthorizedAgent, Caller, EntryGrant, grant_entry};
use crate::registry::Registry;
use crate::signing::Class;

/// The service.
pub struct SvidApi {
    authorities: Authorities,
    registry: Arc<Registry>,
    clock: Clock,
}

type Answer<T> = Result<Response<T>, Status>;

impl SvidApi {
    /// Signs with `authorities` what `registry` grants.
    pub fn new(authorities: Authorities, registry: Arc<Registry>, clock: Clock) -> Self {
        Self { authorities, registry, clock }
    }
}

#[tonic::async_trait]
impl wire::svid_server::Svid for SvidApi {
    async fn mint_x509svid(
        &self,
        request: Request<wire::MintX509svidRequest>,
    ) -> Answer<wire::MintX509svidResponse> {
        let grant = Caller::of(&request)?.require_admin()?;
        let request = request.into_inner();
        if request.csr.is_empty() {
            return Err(refuse(Code::InvalidArgument, "missing CSR"));
        }
        let csr = self
            .authorities
            .read_csr(&grant, request.csr)
            .await
            .map_err(|e| signing(e, "failed to verify CSR signature", "failed to sign X509-SVID"))?;
        let (id, dns_names) = wanted(self.authorities.trust_domain(), &csr)?;
        let order = MintX509 { csr, id, dns_names, ttl: seconds(request.ttl) };
        let svid = self
            .authorities
            .mint_x509(&grant, order)
            .await
            .map_err(|e| signing(e, "failed to verify CSR signature", "failed to sign X509-SVID"))?;
        tracing::debug!(spiffe_id = %svid.id(), "Signed X509 SVID");
        Ok(Response::new(wire::MintX509svidResponse { svid: Some(wire_x509(svid)) }))
    }

    async fn mint_jwtsvid(
        &self,
        request: Request<wire::MintJwtsvidRequest>,
    ) -> Answer<wire::MintJwtsvidResponse> {
        let grant = Caller::of(&request)?.require_admin()?;
        let request = request.into_inner();
        self.jwt_enabled()?;
        let id = convert::workload(self.authorities.trust_domain(), request.id.as_ref())
            .map_err(|e| refuse_for(Code::InvalidArgument, "invalid SPIFFE ID", e))?;
        let audience = checked_audience(request.audience)?;
        let order = MintJwt { id, audience, ttl: seconds(request.ttl) };
        let svid = self.authorities.mint_jwt(&grant, order).await.map_err(jwt_signing)?;
        Ok(Response::new(wire::MintJwtsvidResponse { svid: Some(wire_jwt(svid)) }))
    }

    async fn batch_new_x509svid(
        &self,
        request: Request<wire::BatchNewX509svidRequest>,
    ) -> Answer<wire::BatchNewX509svidResponse> {
        let caller = Caller::of(&request)?.clone();
        let agent = caller.require_agent()?;
        let class = class_of(request.metadata(), Class::Renewal);
        let params = request.into_inner().params;
        if params.is_empty() {
            return Err(refuse(Code::InvalidArgument, "missing parameters"));
        }
        failure::bounded(params.len(), failure::MAX_BATCH)?;
        caller
            .throttle(Kind::SignX509, params.len())
            .await
            .map_err(|e| limited("rejecting request due to certificate signing rate limiting", &e))?;
        let grants = self.grants(&agent, params.iter().map(|p| p.entry_id.as_str())).await?;
        let checked = params.into_iter().map(|param| checked(param, &grants));
        let failed = |e| signing(e, "invalid CSR signature", "failed to sign X509-SVID");
        let signed = parted(checked, |items| async {
            let done = self.authorities.sign_x509_batch(class, items).await.map_err(failed)?;
            Ok(done.into_iter().map(|one| one.map_err(failed)).collect())
        });
        let results = signed.await?.into_iter().map(result).collect();
        Ok(Response::new(wire::BatchNewX509svidResponse { results }))
    }

    async fn new_jwtsvid(
        &self,
        request: Request<wire::NewJwtsvidRequest>,
    ) -> Answer<wire::NewJwtsvidResponse> {
        let caller = Caller::of(&request)?.clone();
        let agent = caller.require_agent()?;
        let request = request.into_inner();
        caller
            .throttle(Kind::SignJwt, 1)
            .await
            .map_err(|e| limited("rejecting request due to JWT signing request rate limiting", &e))?;
        self.jwt_enabled()?;
        let mut grants = self.grants(&agent, std::iter::once(request.entry_id.as_str())).await?;
        let grant = grants
            .remove(&request.entry_id)
            .ok_or_else(|| refuse(Code::NotFound, "entry not found or not authorized"))?;
        reserved(&grant)?;
        let audience = checked_audience(request.audience)?;
        let svid = self.authorities.sign_jwt(&grant, audience).await.map_err(jwt_signing)?;
        Ok(Response::new(wire::NewJwtsvidResponse { svid: Some(wire_jwt(svid)) }))
    }

    async fn mint_witsvid(
        &self,
        request: Request<wire::MintWitsvidRequest>,
    ) -> Answer<wire::MintWitsvidResponse> {
        let grant = Caller::of(&request)?.require_admin()?;
        self.wit_enabled()?;
        let request = request.into_inner();
        let id = convert::workload(self.authorities.trust_domain(), request.id.as_ref())
            .map_err(|e| refuse_for(Code::InvalidArgument, "invalid SPIFFE ID", e))?;
        let key = WorkloadKey { spki: request.public_key, algorithm: request.signing_algorithm };
        let order = MintWit { id, key, ttl: seconds(request.ttl) };
        let svid = self.authorities.mint_wit(&grant, order).await;
        let svid = svid.map_err(|e| wit::signing(e, "invalid public key"))?;
        tracing::debug!(
            expiration = UnixTime::of(svid.expires_at).0,
            "Server CA successfully signed WIT-SVID"
        );
        Ok(Response::new(wire::MintWitsvidResponse { svid: Some(wit::wire_wit(svid)) }))
    }

    async fn batch_new_witsvid(
        &self,
        request: Request<wire::BatchNewWitsvidRequest>,
    ) -> Answer<wire::BatchNewWitsvidResponse> {
        let caller = Caller::of(&request)?.clone();
        let agent = caller.require_agent()?;
        let class = class_of(request.metadata(), Class::Renewal);
        let params = request.into_inner().params;
        if params.is_empty() {
            return Err(refuse(Code::InvalidArgument, "missing parameters"));
        }
        self.wit_enabled()?;
        caller
            .throttle(Kind::SignWit, params.len())
            .await
            .map_err(|e| limited("rejecting request due to certificate signing rate limiting", &e))?;
        let grants = self.grants(&agent, params.iter().map(|p| p.entry_id.as_str())).await?;
        let checked = params.into_iter().map(|param| wit::checked(param, &grants));
        let failed = |e| wit::signing(e, "malformed public key");
        let signed = parted(checked, |items| async {
            let done = self.authorities.sign_wit_batch(class, items).await.map_err(failed)?;
            Ok(done.into_iter().map(|one| one.map_err(failed)).collect())
        });
        let results = signed.await?.into_iter().map(wit::result).collect();
        Ok(Response::new(wire::BatchNewWitsvidResponse { results }))
    }

    async fn new_downstream_x509ca(
        &self,
        request: Request<wire::NewDownstreamX509caRequest>,
    ) -> Answer<wire::NewDownstreamX509caResponse> {
        let caller = Caller::of(&request)?.clone();
        let grant = caller.require_downstream()?;
        caller
            .throttle(Kind::SignX509, 1)
            .await
            .map_err(|e| limited("rejecting request due to downstream CA signing rate limit", &e))?;
        let request = request.into_inner();
        let chain = self
            .authorities
            .sign_downstream_ca(&grant, request.csr, seconds(request.preferred_ttl))
            .await
            .map_err(|e| signing(e, "invalid CSR", "failed to sign downstream X.509 CA"))?;
        tracing::debug!(downstream_id = %grant.id(), "Signed X509 CA SVID");
        let snapshot = self.registry.snapshot();
        let bundle = snapshot
            .bundle(self.authorities.trust_domain())
            .ok_or_else(|| refuse(Code::NotFound, "bundle not found"))?;
        Ok(Response::new(wire::NewDownstreamX509caResponse {
            ca_cert_chain: chain.iter().map(|c| c.der().to_vec()).collect(),
            x509_authorities: bundle
                .x509_authorities()
                .iter()
                .map(|a| a.certificate.der().to_vec())
                .collect(),
        }))
    }
}

impl SvidApi {
    fn wit_enabled(&self) -> Result<(), Status> {
        match self.authorities.settings().wit_svids {
            Some(_) => Ok(()),
            None => Err(refuse(Code::Unimplemented, "WIT functionality is disabled")),
        }
    }

    /// The agent's rights to these entries, as far as it has them. That it has not is said only by the newest state of
    /// the registry.
    async fn grants(
        &self,
        agent: &AuthorizedAgent,
        ids: impl Iterator<Item = &str> + Clone + Send,
    ) -> Result<HashMap<String, EntryGrant>, Status> {
        let grants = self.grants_now(agent, ids.clone());
        if ids.clone().all(|id| id.is_empty() || grants.contains_key(id)) {
            return Ok(grants);
        }
        self.registry
            .catch_up()
            .await
            .map_err(|e| failure::registry("failed to fetch registration entries", &e))?;
        Ok(self.grants_now(agent, ids))
    }

    fn grants_now<'a>(
        &self,
        agent: &AuthorizedAgent,
        ids: impl Iterator<Item = &'a str>,
    ) -> HashMap<String, EntryGrant> {
        let (snapshot, now) = (self.registry.snapshot(), self.clock.now());
        ids.filter_map(|id| Some((id.to_owned(), grant_entry(agent, &snapshot, id, now).ok()?))).collect()
    }

    fn jwt_enabled(&self) -> Result<(), Status> {
        match self.authorities.settings().jwt_svids {
            crate::authority::JwtSvids::Enabled => Ok(()),
            crate::authority::JwtSvids::Disabled => {
                Err(refuse(Code::Unimplemented, "JWT functionality is disabled"))
            }
        }
    }
}

/// Signs what was not refused, all at once, and puts refusals and answers together again in the order of the request.
async fn parted<C, T, F>(
    checked: impl Iterator<Item = Result<C, Status>>,
    sign: impl FnOnce(Vec<C>) -> F,
) -> Result<Vec<Result<T, Status>>, Status>
where
    F: Future<Output = Result<Vec<Result<T, Status>>, Status>>,
{
    let mut items = Vec::new();
    let mut refusals = Vec::with_capacity(checked.size_hint().0);
    for one in checked {
        match one {
            Ok(item) => {
                items.push(item);
                refusals.push(None);
            }
            Err(status) => refusals.push(Some(status)),
        }
    }
    let mut signed = sign(items).await?.into_iter();
    let missing = || Err(Status::internal("failed to sign the SVID: an answer is missing"));
    let answer = |refusal| match refusal {
        Some(status) => Err(status),
        None => signed.next().unwrap_or_else(missing),
    };
    Ok(refusals.into_iter().map(answer).collect())
}

/// How urgent a request is, if it says; `otherwise` if it does not.
fn class_of(metadata: &MetadataMap, otherwise: Class) -> Class {
    let said = metadata.get(Class::METADATA).and_then(|value| value.to_str().ok());
    said.and_then(Class::parse).unwrap_or(otherwise)
}

/// One item of a batch, if it can be signed.
fn checked(param: wire::NewX509svidParams, grants: &HashMap<String, EntryGrant>) -> Result<NewX509, Status> {
    if param.entry_id.is_empty() {
        return Err(refuse(Code::InvalidArgument, "missing entry ID"));
    }
    if param.csr.is_empty() {
        return Err(refuse(Code::InvalidArgument, "missing CSR"));
    }
    match grants.get(&param.entry_id) {
        Some(grant) => Ok(NewX509 { grant: grant.clone(), csr: param.csr }),
        None => Err(refuse(Code::NotFound, "entry not found or not authorized")),
    }
}

fn result(done: Result<IssuedX509, Status>) -> wire::batch_new_x509svid_response::Result {
    let (status, svid) = match done {
        Ok(svid) => {
            tracing::debug!(spiffe_id = %svid.id(), expiration = UnixTime::of(svid.expires_at()).0, "Signed X509 SVID");
            (failure::ok(), Some(wire_x509(svid)))
        }
        Err(status) => (item_of(&status), None),
    };
    wire::batch_new_x509svid_response::Result { status, svid }
}

/// What an operator's request asks for: one workload's ID, and names.
fn wanted(td: &TrustDomain, csr: &Csr) -> Result<(SpiffeId, Vec<String>), Status> {
    let uri = match csr.uri_sans() {
        [] => return Err(refuse(Code::InvalidArgument, "CSR URI SAN is required")),
        [uri] => uri,
        _ => return Err(refuse(Code::InvalidArgument, "only one URI SAN is expected")),
    };
    let invalid = |why: String| refuse_for(Code::InvalidArgument, "CSR URI SAN is invalid", why);
    let id = SpiffeId::parse(uri).map_err(|e| invalid(e.to_string()))?;
    convert::workload(td, Some(&wire_id(&id))).map_err(|e| invalid(e.to_string()))?;
    for name in csr.dns_names() {
        dns::check(name).map_err(|why| refuse_for(Code::InvalidArgument, "CSR DNS name is invalid", why))?;
    }
    if let Some(name) = dns::covered(csr.dns_names()) {
        return Err(refuse_for(
            Code::InvalidArgument,
            "CSR DNS name contains a wildcard that covers another non-wildcard name",
            format!("name \"{name}\" overlaps with an existing wildcard name in the list: wildcard overlap"),
        ));
    }
    Ok((id, csr.dns_names().to_vec()))
}

fn checked_audience(audience: Vec<String>) -> Result<Vec<String>, Status> {
    if audience.is_empty() {
        return Err(refuse(Code::InvalidArgument, "at least one audience is required"));
    }
    if audience.iter().all(String::is_empty) {
        let cause = "invalid JWT-SVID audience: cannot be empty";
        return Err(refuse_for(Code::Internal, "failed to sign JWT-SVID", cause));
    }
    Ok(audience)
}

/// A JWT-SVID names a workload, never an agent or a server (SPIRE 1.16).
fn reserved(grant: &EntryGrant) -> Result<(), Status> {
    let id = &grant.entry().spiffe_id;
    convert::workload(&id.trust_domain(), Some(&wire_id(id)))
        .map(|_| ())
        .map_err(|e| refuse_for(Code::InvalidArgument, "invalid SPIFFE ID", e))
}

/// The status of an X.509-SVID that was not signed; SPIRE words a bad signature differently by method.
fn signing(error: SignError, bad_signature: &str, failed: &str) -> Status {
    match error {
        SignError::MalformedCsr(cause) => refuse_for(Code::InvalidArgument, "malformed CSR", cause),
        SignError::CsrSignature(cause) => refuse_for(Code::InvalidArgument, bad_signature, cause),
        SignError::Refused(refused) => refused.into(),
        error => refuse_for(Code::Internal, failed, error),
    }
}

fn jwt_signing(error: SignError) -> Status {
    match error {
        SignError::Refused(refused) => refused.into(),
        SignError::JwtDisabled => refuse(Code::Unimplemented, "JWT functionality is disabled"),
        error => refuse_for(Code::Internal, "failed to sign JWT-SVID", error),
    }
}

fn wire_x509(svid: IssuedX509) -> types::X509svid {
    types::X509svid {
        id: Some(wire_id(svid.id())),
        expires_at: UnixTime::of(svid.expires_at()).0,
        cert_chain: svid.into_chain(),
        hint: String::new(),
    }
}

fn wire_jwt(svid: IssuedToken) -> types::Jwtsvid {
    types::Jwtsvid {
        id: Some(wire_id(&svid.id)),
        expires_at: UnixTime::of(svid.expires_at).0,
        issued_at: UnixTime::of(svid.issued_at).0,
        token: svid.token,
        hint: String::new(),
    }
}

#[cfg(test)]
mod tests;

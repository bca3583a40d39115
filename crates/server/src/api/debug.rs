//! `spire.api.server.debug.v1.Debug`: how the server is doing.

use std::sync::Arc;
use std::time::SystemTime;

use kit::clock::Clock;
use model::UnixTime;
use proto::spire::api::server::debug::v1::{self as wire, get_info_response::Cert};
use spiffe::SpiffeId;
use spiffe::bundle::Bundle;
use spiffe::x509::{Certificate, X509Svid};
use tonic::{Code, Request, Response, Status};

use super::convert::wire_id;
use super::failure::refuse;
use crate::authority::Authorities;
use crate::registry::Registry;

/// The service.
pub struct DebugApi {
    authorities: Authorities,
    registry: Arc<Registry>,
    clock: Clock,
    started: SystemTime,
}

impl DebugApi {
    /// Counts what `registry` holds, and the time from now on.
    pub fn new(authorities: Authorities, registry: Arc<Registry>, clock: Clock) -> Self {
        let started = clock.now();
        Self { authorities, registry, clock, started }
    }

    /// The server's own chain, leaf first, up to the authority that anchors it.
    fn chain(&self, bundle: &Bundle) -> Result<Vec<Certificate>, Status> {
        let failed =
            |why: &str| refuse(Code::Internal, &format!("failed verification against bundle: {why}"));
        let identity = self.authorities.server_identity().get();
        let identity = identity.ok_or_else(|| failed("the server has no SVID"))?;
        let root = self.root(identity.svid(), bundle);
        let root = root.ok_or_else(|| failed("no authority of the bundle anchors the server's SVID"))?;
        Ok(identity.svid().chain().iter().cloned().chain([root]).collect())
    }

    /// The authority of `bundle` that alone suffices to verify `svid`.
    fn root(&self, svid: &X509Svid, bundle: &Bundle) -> Option<Certificate> {
        let now = self.clock.now();
        let anchors = |certificate: &Certificate| {
            let mut alone = Bundle::new(bundle.trust_domain().clone());
            let authority =
                spiffe::bundle::X509Authority { certificate: certificate.clone(), tainted: false };
            alone.push_x509(authority).is_ok() && svid.verify(&alone, now).is_ok()
        };
        bundle.x509_authorities().iter().map(|a| &a.certificate).find(|c| anchors(c)).cloned()
    }
}

#[tonic::async_trait]
impl wire::debug_server::Debug for DebugApi {
    async fn get_info(
        &self,
        _: Request<wire::GetInfoRequest>,
    ) -> Result<Response<wire::GetInfoResponse>, Status> {
        let snapshot = self.registry.snapshot();
        let bundle = snapshot.bundle(self.authorities.trust_domain());
        let bundle = bundle.ok_or_else(|| refuse(Code::NotFound, "trust domain bundle not found"))?;
        let uptime = self.clock.now().duration_since(self.started).unwrap_or_default().as_secs();
        Ok(Response::new(wire::GetInfoResponse {
            svid_chain: self.chain(bundle)?.iter().map(wire_cert).collect(),
            uptime: i32::try_from(uptime).unwrap_or(i32::MAX),
            agents_count: count(snapshot.agent_count()),
            federated_bundles_count: count(snapshot.bundles().count()),
            entries_count: count(snapshot.entry_count()),
        }))
    }
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn wire_cert(certificate: &Certificate) -> Cert {
    let id = match certificate.uri_sans() {
        [only] => SpiffeId::parse(only).ok(),
        _ => None,
    };
    Cert {
        id: id.as_ref().map(wire_id),
        expires_at: UnixTime::of(certificate.not_after()).0,
        subject: certificate.subject_name().to_string(),
    }
}

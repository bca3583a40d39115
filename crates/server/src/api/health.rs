//! `grpc.health.v1.Health` on the admin socket, and the checks behind it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use spiffe::TrustDomain;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::failure::refuse;
use crate::authority::{Authorities, SignError};
use crate::registry::Registry;
use crate::signing::Refused;

/// How long a check of the signing threads may take.
const CHECK: Duration = Duration::from_secs(60);

/// How many attempts to rotate may fail in a row before something is wrong (SPIRE 1.16).
const ROTATIONS: u64 = 10;

/// The health service of a server.
pub fn service(authorities: Authorities, registry: Arc<Registry>) -> HealthServer<HealthApi> {
    HealthServer::new(HealthApi { authorities, registry })
}

/// The service.
pub struct HealthApi {
    authorities: Authorities,
    registry: Arc<Registry>,
}

type Answers = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

#[tonic::async_trait]
impl Health for HealthApi {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if !request.into_inner().service.is_empty() {
            return Err(refuse(Code::InvalidArgument, "per-service health is not supported"));
        }
        let status = match check_server(self.authorities.trust_domain(), &self.registry) {
            Ok(()) => ServingStatus::Serving,
            Err(reason) => {
                tracing::warn!(reason, "Health check failed");
                ServingStatus::NotServing
            }
        };
        Ok(Response::new(HealthCheckResponse { status: status.into() }))
    }

    type WatchStream = Answers;

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Answers>, Status> {
        // As SPIRE 1.16's, which is polled.
        Err(refuse(Code::Unimplemented, "method Watch not implemented"))
    }
}

/// A part of the server and how it is; the names are SPIRE 1.16's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subsystem {
    /// `server`, `server.ca`, `server.ca.rotator` or `catalog.datastore`.
    pub name: &'static str,
    /// Why it is neither ready nor live, if it is not.
    pub failure: Option<String>,
}

/// Looks at every part of the server. Signs once; asks the database for one row.
pub async fn subsystems(authorities: &Authorities, registry: &Registry) -> Vec<Subsystem> {
    let sign = match tokio::time::timeout(CHECK, authorities.check()).await {
        // A full queue is a server at work, and killing it would not help.
        Ok(Ok(()) | Err(SignError::Refused(Refused::Full { .. }))) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("nothing was signed within {} seconds", CHECK.as_secs())),
    };
    let rotator = match authorities.failed_rotations() {
        few if few <= ROTATIONS => Ok(()),
        many => Err(format!("the last {many} attempts to rotate an authority failed; the log says why")),
    };
    let store = registry.catch_up().await.map_err(|e| e.to_string());
    let server = check_server(authorities.trust_domain(), registry).map_err(str::to_owned);
    [("server", server), ("server.ca", sign), ("server.ca.rotator", rotator), ("catalog.datastore", store)]
        .into_iter()
        .map(|(name, result)| Subsystem { name, failure: result.err() })
        .collect()
}

fn check_server(td: &TrustDomain, registry: &Registry) -> Result<(), &'static str> {
    registry.snapshot().bundle(td).map(|_| ()).ok_or("bundle is missing")
}

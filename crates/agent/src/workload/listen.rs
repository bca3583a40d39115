//! The socket.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kit::oversized::OversizedLayer;
use kit::rpc::MeasuredLayer;
use kit::uds::Listener;
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService as _;
use tonic::transport::Server;
use tonic_reflection::server::Builder;

use super::api::WorkloadApi;
use super::caller::Caller;
use super::method::Method;
use crate::error::AgentError;
use crate::metrics::RPC;
use crate::sds::SdsApi;
use crate::settings::PinPeer;

/// Everyone may connect; who gets what is decided for each call.
const MODE: u32 = 0o777;
/// How long calls get to end.
const DRAIN: Duration = Duration::from_secs(3);

/// Counts the calls of methods that are served here.
const MEASURED: MeasuredLayer = MeasuredLayer { calls: &RPC, known: method };

fn method(path: &str) -> Option<&'static str> {
    const HEALTH: [&str; 1] = ["/grpc.health.v1.Health/Check"];
    let others = HEALTH.into_iter().chain(crate::sds::METHODS);
    Method::of(path).map(Method::path).or_else(|| others.into_iter().find(|known| *known == path))
}

/// The public socket.
pub(crate) struct Endpoint {
    listener: Listener,
    pin: PinPeer,
}

impl Endpoint {
    /// Takes the socket.
    pub(crate) fn bind(path: &Path, pin: PinPeer) -> Result<Self, AgentError> {
        Ok(Self { listener: Listener::bind(path, MODE)?, pin })
    }

    /// Serves these until `stop`, and then for as long as calls need, within bounds.
    pub(crate) async fn serve(
        self,
        workload: Option<WorkloadApi>,
        sds: Option<SdsApi>,
        stop: CancellationToken,
    ) -> Result<(), AgentError> {
        let apis = match (&workload, &sds) {
            (Some(_), Some(_)) => "Workload and SDS APIs",
            (None, Some(_)) => "SDS API",
            (_, None) => "Workload API",
        };
        let services: Vec<&str> = [
            workload.as_ref().map(|_| WorkloadApi::NAME),
            sds.as_ref().map(|_| SdsApi::NAME),
            Some("grpc.health.v1.Health"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let address = self.listener.path().display().to_string();
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
        let pin = self.pin;
        let connections = self.listener.connections(Arc::new(move |stream| pin(stream).map(Caller)));
        let stopped = stop.clone();
        let mut server = Server::builder().layer(MEASURED).layer(OversizedLayer).add_service(health);
        if let Some(workload) = workload {
            server = server.add_service(workload);
        }
        if let Some(sds) = sds {
            server = server.add_service(sds);
        }
        // The descriptors are a constant of the build; without them there is no reflection, and no harm.
        if let Ok(reflection) = reflection(&services).build_v1() {
            server = server.add_service(reflection);
        }
        if let Ok(reflection) = reflection(&services).build_v1alpha() {
            server = server.add_service(reflection);
        }
        tracing::info!(subsystem_name = "endpoints", address, apis, network = "unix", "Starting agent APIs");
        let served =
            server.serve_with_incoming_shutdown(connections, async move { stopped.cancelled().await });
        let drained = async {
            stop.cancelled().await;
            tracing::info!(subsystem_name = "endpoints", apis, "Stopping agent APIs");
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            served = served => Ok(served?),
            () = drained => Ok(()),
        }
    }
}

fn reflection(services: &[&str]) -> Builder<'static> {
    let builder = Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    services.iter().fold(builder, |builder, service| builder.with_service_name(*service))
}

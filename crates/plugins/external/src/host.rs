//! What we have for plugins: SPIRE's host services.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proto::spire::hostservice::common::metrics::v1 as metrics;
use proto::spire::hostservice::common::metrics::v1::metrics_server::{Metrics, MetricsServer};
use proto::spire::hostservice::server::agentstore::v1 as agents;
use proto::spire::hostservice::server::agentstore::v1::agent_store_server::{AgentStore, AgentStoreServer};
use proto::spire::hostservice::server::identityprovider::v1 as identity;
use proto::spire::hostservice::server::identityprovider::v1::identity_provider_server::{
    IdentityProvider, IdentityProviderServer,
};
use spiffe::bundle::Bundle;
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status};
use zeroize::Zeroizing;

use crate::bundle;

/// The most parts of a metric's name, and the most labels.
const MAX_PARTS: usize = 16;
/// The longest part of a name, label or value, in bytes.
const MAX_PART: usize = 256;

/// The server's own X.509-SVID, as it is handed to plugins.
pub struct ServerIdentity {
    /// The SVID, then the intermediates, each DER.
    pub chain: Vec<Vec<u8>>,
    /// Its key, PKCS #8 DER.
    pub key: Zeroizing<Vec<u8>>,
    /// The trust domain's bundle.
    pub bundle: Arc<Bundle>,
}

/// The server's identity; `None` until the server has one.
pub type IdentitySource = Arc<dyn Fn() -> Option<ServerIdentity> + Send + Sync>;
/// Whether an agent of this SPIFFE ID is known; `None` until the server can tell.
pub type AgentSource = Arc<dyn Fn(&str) -> Option<bool> + Send + Sync>;

/// Something that a plugin measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    /// A value that replaces the last one.
    Gauge(f64),
    /// An addition to a count.
    Counter(f64),
    /// One of many values.
    Value(f64),
    /// A duration.
    Time(Duration),
}

/// Takes what plugins measure: the name in parts, the labels, the value.
pub type Measure = Arc<dyn Fn(&[String], &[(String, String)], Sample) + Send + Sync>;

/// What plugins find at their host. What is `None` is not there.
#[derive(Clone, Default)]
pub struct HostServices {
    /// Where they count.
    pub metrics: Option<Measure>,
    /// The server's identity.
    pub identity: Option<IdentitySource>,
    /// The server's agents.
    pub agents: Option<AgentSource>,
}

impl HostServices {
    /// The services' names, as plugins are told.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = [
            (self.metrics.is_some(), "spire.hostservice.common.metrics.v1.Metrics"),
            (self.identity.is_some(), "spire.hostservice.server.identityprovider.v1.IdentityProvider"),
            (self.agents.is_some(), "spire.hostservice.server.agentstore.v1.AgentStore"),
        ];
        names.into_iter().filter(|(there, _)| *there).map(|(_, name)| name.to_owned()).collect()
    }

    /// Serves them until `stop`.
    pub(crate) async fn serve(self, listener: UnixListener, stop: CancellationToken) {
        let mut routes = RoutesBuilder::default();
        if let Some(measure) = self.metrics {
            routes.add_service(MetricsServer::new(MetricsHost(measure)));
        }
        if let Some(source) = self.identity {
            routes.add_service(IdentityProviderServer::new(IdentityHost(source)));
        }
        if let Some(source) = self.agents {
            routes.add_service(AgentStoreServer::new(AgentHost(source)));
        }
        let served = tonic::transport::Server::builder()
            .add_routes(routes.routes())
            .serve_with_incoming_shutdown(UnixListenerStream::new(listener), stop.cancelled_owned())
            .await;
        if let Err(error) = served {
            tracing::error!(error = %error, "Host services server failed");
        }
    }
}

struct MetricsHost(Measure);

impl MetricsHost {
    fn take(
        &self,
        key: &[String],
        labels: &[metrics::Label],
        sample: Sample,
    ) -> Result<Response<()>, Status> {
        let fits = |text: &str| text.len() <= MAX_PART;
        let small = !key.is_empty()
            && key.len() <= MAX_PARTS
            && labels.len() <= MAX_PARTS
            && key.iter().all(|part| fits(part))
            && labels.iter().all(|label| fits(&label.name) && fits(&label.value));
        if !small {
            let why = format!(
                "a metric's name has 1 to {MAX_PARTS} parts and as many labels, of {MAX_PART} bytes each"
            );
            return Err(Status::invalid_argument(why));
        }
        let labels: Vec<_> = labels.iter().map(|label| (label.name.clone(), label.value.clone())).collect();
        (self.0)(key, &labels, sample);
        Ok(Response::new(()))
    }
}

#[tonic::async_trait]
impl Metrics for MetricsHost {
    async fn set_gauge(&self, request: Request<metrics::SetGaugeRequest>) -> Result<Response<()>, Status> {
        let metrics::SetGaugeRequest { key, val, labels } = request.into_inner();
        self.take(&key, &labels, Sample::Gauge(val.into()))
    }

    async fn emit_key(&self, request: Request<metrics::EmitKeyRequest>) -> Result<Response<()>, Status> {
        let metrics::EmitKeyRequest { key, val } = request.into_inner();
        self.take(&key, &[], Sample::Gauge(val.into()))
    }

    async fn incr_counter(
        &self,
        request: Request<metrics::IncrCounterRequest>,
    ) -> Result<Response<()>, Status> {
        let metrics::IncrCounterRequest { key, val, labels } = request.into_inner();
        self.take(&key, &labels, Sample::Counter(val.into()))
    }

    async fn add_sample(&self, request: Request<metrics::AddSampleRequest>) -> Result<Response<()>, Status> {
        let metrics::AddSampleRequest { key, val, labels } = request.into_inner();
        self.take(&key, &labels, Sample::Value(val.into()))
    }

    async fn measure_since(
        &self,
        request: Request<metrics::MeasureSinceRequest>,
    ) -> Result<Response<()>, Status> {
        let metrics::MeasureSinceRequest { key, time, labels } = request.into_inner();
        let since = u64::try_from(time).map(Duration::from_nanos).unwrap_or_default();
        self.take(&key, &labels, Sample::Time(elapsed(SystemTime::UNIX_EPOCH + since)))
    }
}

/// A plugin says when something began, by the wall clock that it shares with us.
#[allow(clippy::disallowed_methods, reason = "the beginning is a plugin's reading of the same wall clock")]
fn elapsed(since: SystemTime) -> Duration {
    SystemTime::now().duration_since(since).unwrap_or_default()
}

struct IdentityHost(IdentitySource);

#[tonic::async_trait]
impl IdentityProvider for IdentityHost {
    async fn fetch_x509_identity(
        &self,
        _: Request<identity::FetchX509IdentityRequest>,
    ) -> Result<Response<identity::FetchX509IdentityResponse>, Status> {
        let not_yet =
            || Status::failed_precondition("IdentityProvider host service has not been initialized");
        let ServerIdentity { chain, key, bundle } = (self.0)().ok_or_else(not_yet)?;
        Ok(Response::new(identity::FetchX509IdentityResponse {
            identity: Some(identity::X509Identity { cert_chain: chain, private_key: key.to_vec() }),
            bundle: Some(bundle::wire(&bundle)),
        }))
    }
}

struct AgentHost(AgentSource);

#[tonic::async_trait]
impl AgentStore for AgentHost {
    async fn get_agent_info(
        &self,
        request: Request<agents::GetAgentInfoRequest>,
    ) -> Result<Response<agents::GetAgentInfoResponse>, Status> {
        let agent_id = request.into_inner().agent_id;
        match (self.0)(&agent_id) {
            None => Err(Status::failed_precondition("AgentStore host service has not been initialized")),
            Some(false) => Err(Status::not_found("no such agent")),
            Some(true) => {
                let info = Some(agents::AgentInfo { agent_id });
                Ok(Response::new(agents::GetAgentInfoResponse { info }))
            }
        }
    }
}

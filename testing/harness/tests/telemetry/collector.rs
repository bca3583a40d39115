//! An OTLP collector that keeps what it is told, on the definitions that OpenTelemetry publishes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// What came, each with the service that it is from.
#[derive(Clone, Default)]
struct Kept {
    spans: Arc<Mutex<Vec<(String, Span)>>>,
    metrics: Arc<Mutex<Vec<(String, Metric)>>>,
}

/// A running collector; its end closes its connections.
pub(crate) struct Collector {
    pub(crate) port: u16,
    kept: Kept,
    _runtime: Runtime,
}

impl Collector {
    /// Listens on this port of loopback, or on a free one for zero.
    pub(crate) fn start(port: u16) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port)))).unwrap();
        let (port, kept) = (listener.local_addr().unwrap().port(), Kept::default());
        let server = Server::builder()
            .add_service(TraceServiceServer::new(kept.clone()))
            .add_service(MetricsServiceServer::new(kept.clone()));
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        runtime.spawn(server.serve_with_incoming(incoming));
        Self { port, kept, _runtime: runtime }
    }

    /// All spans until now.
    pub(crate) fn spans(&self) -> Vec<(String, Span)> {
        lock(&self.kept.spans).clone()
    }

    /// The latest that was told of a metric of a service.
    pub(crate) fn metric(&self, service: &str, name: &str) -> Option<Metric> {
        let all = lock(&self.kept.metrics);
        let last = all.iter().rev().find(|(from, metric)| from == service && metric.name == name);
        last.map(|(_, metric)| metric.clone())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

/// The text of an attribute.
pub(crate) fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        other => Some(format!("{other:?}")),
    }
}

#[tonic::async_trait]
impl TraceService for Kept {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for resource in request.into_inner().resource_spans {
            let service = text(&resource.resource.unwrap().attributes, "service.name").unwrap();
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            lock(&self.spans).extend(spans.map(|span| (service.clone(), span)));
        }
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Kept {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        for resource in request.into_inner().resource_metrics {
            let service = text(&resource.resource.unwrap().attributes, "service.name").unwrap();
            let metrics = resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
            lock(&self.metrics).extend(metrics.map(|metric| (service.clone(), metric)));
        }
        Ok(Response::new(Default::default()))
    }
}

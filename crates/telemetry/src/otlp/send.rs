//! The tasks that talk to a collector.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::metrics::v1::{ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource as WireResource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::series::Series;
use super::wire::{resource, scope};
use super::{Collector, Resource, Waiting};

/// The most spans of one request, and how long the first of them waits for others.
const BATCH: usize = 512;
const GATHER: Duration = Duration::from_secs(1);
/// How long a collector may take to answer; at the end, this process does not wait so long.
const PATIENCE: Duration = Duration::from_secs(10);
const FAREWELL: Duration = Duration::from_secs(2);
/// Waits between attempts to send the same spans.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

pub(super) struct Sender {
    address: String,
    channel: Option<Channel>,
    resource: WireResource,
    /// Whether the last request failed, which is told once.
    failing: bool,
}

impl Sender {
    pub(super) fn new(collector: Collector, of: Resource) -> Self {
        // Who checks configurations has checked the address too; with a wrong one, every request fails.
        let channel =
            collector.channel().inspect_err(|error| tracing::error!(error = %error, "{error}")).ok();
        Self { address: collector.address, channel, resource: resource(&of), failing: false }
    }

    /// The answer, told about where things change.
    async fn told<T>(
        &mut self,
        what: &'static str,
        patience: Duration,
        answer: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        let answer = match tokio::time::timeout(patience, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(Status::deadline_exceeded("the collector did not answer in time")),
        };
        let address = self.address.as_str();
        match (&answer, self.failing) {
            (Err(error), false) => {
                tracing::warn!(address, error = %error, "OTLP collector does not take {what}; trying again, and dropping what does not fit the queue");
            }
            (Ok(_), true) => tracing::info!(address, "OTLP collector takes {what} again"),
            _ => {}
        }
        self.failing = answer.is_err();
        answer
    }

    pub(super) async fn spans(mut self, mut waiting: Waiting, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.gather(&mut waiting, &mut batch, &stop).await {
            self.deliver(&mut batch, &waiting, &stop).await;
        }
        // Of what the end has left, each batch gets one attempt, and all together a little time.
        let farewell = tokio::time::Instant::now() + FAREWELL;
        loop {
            while batch.len() < BATCH
                && let Ok(span) = waiting.spans.try_recv()
            {
                batch.push(span);
            }
            if batch.is_empty() {
                return;
            }
            let count = batch.len();
            let left = farewell.saturating_duration_since(tokio::time::Instant::now());
            match self.export(&batch, left).await {
                Ok(refused) => count_sent(&waiting, count, refused),
                Err(_) => waiting.tally.dropped.add(count, &[]),
            }
            batch.clear();
        }
    }

    /// Fills a batch; false once all is to end.
    async fn gather(&self, waiting: &mut Waiting, batch: &mut Vec<Span>, stop: &CancellationToken) -> bool {
        tokio::select! {
            first = waiting.spans.recv() => match first {
                Some(span) => batch.push(span),
                None => return false,
            },
            () = stop.cancelled() => return false,
        }
        let full = async {
            while batch.len() < BATCH
                && let Some(span) = waiting.spans.recv().await
            {
                batch.push(span);
            }
        };
        tokio::select! {
            () = full => true,
            () = tokio::time::sleep(GATHER) => true,
            () = stop.cancelled() => false,
        }
    }

    /// Sends a batch, again and again where that may help. What cannot be sent is dropped; what all is to end before it
    /// is sent stays in the batch.
    async fn deliver(&mut self, batch: &mut Vec<Span>, waiting: &Waiting, stop: &CancellationToken) {
        let mut wait = RETRY.0;
        loop {
            match self.export(batch, PATIENCE).await {
                Ok(refused) => break count_sent(waiting, batch.len(), refused),
                Err(status) if may_pass(&status) => {}
                Err(_) => break waiting.tally.dropped.add(batch.len(), &[]),
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => wait = (wait * 2).min(RETRY.1),
                () = stop.cancelled() => return,
            }
        }
        batch.clear();
    }

    /// How many of these the collector refused.
    async fn export(&mut self, batch: &[Span], patience: Duration) -> Result<usize, Status> {
        let request = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(self.resource.clone()),
                scope_spans: vec![ScopeSpans {
                    scope: Some(scope()),
                    spans: batch.to_vec(),
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }],
        };
        let channel = self.channel.clone().ok_or_else(|| Status::unavailable("it has no address"))?;
        let answer = async move { TraceServiceClient::new(channel).export(request).await };
        let answer = self.told("spans", patience, answer).await?.into_inner();
        let refused = answer.partial_success.filter(|part| part.rejected_spans > 0);
        Ok(refused.map_or(0, |part| {
            tracing::warn!(
                address = self.address,
                reason = part.error_message,
                "OTLP collector refused some spans"
            );
            usize::try_from(part.rejected_spans).unwrap_or(usize::MAX)
        }))
    }

    pub(super) async fn metrics(mut self, series: Arc<Series>, interval: Duration, stop: CancellationToken) {
        loop {
            let patience = tokio::select! {
                () = tokio::time::sleep(interval) => PATIENCE,
                () = stop.cancelled() => FAREWELL,
            };
            let request = ExportMetricsServiceRequest {
                resource_metrics: vec![ResourceMetrics {
                    resource: Some(self.resource.clone()),
                    scope_metrics: vec![ScopeMetrics {
                        scope: Some(scope()),
                        metrics: series.metrics(),
                        ..ScopeMetrics::default()
                    }],
                    ..ResourceMetrics::default()
                }],
            };
            if let Some(channel) = self.channel.clone() {
                let answer = async move { MetricsServiceClient::new(channel).export(request).await };
                // The next one tells it all again.
                let _ = self.told("metrics", patience, answer).await;
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }
}

fn count_sent(waiting: &Waiting, count: usize, refused: usize) {
    waiting.tally.sent.add(count.saturating_sub(refused), &[]);
    if refused > 0 {
        waiting.tally.dropped.add(refused.min(count), &[]);
    }
}

/// As OTLP has it: these may succeed later.
fn may_pass(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Cancelled
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss
            // A connection that cannot be made at all comes so.
            | Code::Unknown
    )
}

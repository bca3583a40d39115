//! A role's collector.

use std::pin::Pin;

use config::{Otlp, Telemetry};
use kit::clock::Clock;
use spiffe::TrustDomain;
use telemetry::Sink;
use telemetry::otlp::{Collector, Ratio, Resource, Tally, Waiting, recorder, send_spans};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{Layer, Registry};

use super::{Own, hostname, tls};
use crate::start::Failure;

/// A layer that collects spans, and where they wait to be sent; none where the operator wants none.
#[allow(clippy::type_complexity, reason = "two things that are taken apart at once")]
pub(crate) fn spans(
    settings: &Telemetry,
    tally: Tally,
) -> Result<(Option<Box<dyn Layer<Registry> + Send + Sync>>, Option<Waiting>), Failure> {
    let Some(wanted) = settings.otlp.as_ref().filter(|otlp| otlp.traces) else { return Ok((None, None)) };
    let (layer, waiting) = telemetry::otlp::spans(Ratio::new(wanted.sample.ratio())?, Clock::system(), tally);
    Ok((Some(layer.boxed()), Some(waiting)))
}

/// What is told to a collector.
pub(super) struct Told {
    /// What takes metrics, if it is told of them.
    pub(super) sink: Option<Sink>,
    /// What talks to it.
    pub(super) tasks: Vec<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// Begins to talk to a collector, until `end` and a little beyond.
pub(super) fn start(
    role: &str,
    wanted: &Otlp,
    settings: &Telemetry,
    trust_domain: &TrustDomain,
    (own, waiting): (Own, Option<Waiting>),
    end: &CancellationToken,
) -> Result<Told, Failure> {
    let tls = wanted.tls.as_ref().map(|tls| tls::connector(tls, own)).transpose()?;
    let collector = Collector { address: wanted.address.clone(), tls };
    collector.check()?;
    let resource = Resource {
        service: role.replace('_', "-"),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: (!settings.no_hostname_label).then(hostname),
        trust_domain: trust_domain.as_str().to_owned(),
    };
    let mut told = Told { sink: None, tasks: Vec::new() };
    match waiting {
        Some(waiting) => {
            told.tasks.push(Box::pin(send_spans(waiting, collector.clone(), resource.clone(), end.clone())));
        }
        None if wanted.traces => {
            tracing::warn!(
                "No spans are sent to this role's OTLP collector: the process that it shares makes them for the server"
            );
        }
        None => {}
    }
    if wanted.metrics {
        let (recorder, task) = recorder(collector, resource, wanted.interval, Clock::system(), end.clone());
        told.sink = Some(Sink { recorder, typed: false });
        told.tasks.push(Box::pin(task));
    }
    Ok(told)
}

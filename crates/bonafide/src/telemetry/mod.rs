//! Metrics and spans of a role: from its settings to a recorder, and the sinks behind it.

#[cfg(test)]
mod document;
mod otlp;
mod tls;

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::{Collectors, Daemon, Scrapers, Telemetry};
use kit::clock::Clock;
use kit::metrics::{Described, Gauge, Set};
use spiffe::{SpiffeId, TrustDomain};
use telemetry::memory::Memory;
use telemetry::otlp::{Tally, Waiting};
use telemetry::statsd::Dialect;
use telemetry::{Address, Filter, Naming, Pipeline, Sink, m3, prometheus, statsd};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) use otlp::spans;
pub(crate) use tls::Own;

use crate::start::Failure;

/// How often the uptime is told (SPIRE 1.16).
const UPTIME: Duration = Duration::from_secs(10);

/// What a role measures.
pub(crate) struct Role {
    /// The first part of its metrics' names.
    pub(crate) name: &'static str,
    pub(crate) set: &'static Set,
    pub(crate) table: &'static [&'static (dyn Described + Sync)],
    pub(crate) started: &'static Gauge,
    pub(crate) uptime: &'static Gauge,
}

/// What becomes of a server's spans.
pub(crate) const SERVER_SPANS: Tally =
    Tally { sent: &server::metrics::SPANS_SENT, dropped: &server::metrics::SPANS_DROPPED };
/// What becomes of an agent's spans.
pub(crate) const AGENT_SPANS: Tally =
    Tally { sent: &::agent::metrics::SPANS_SENT, dropped: &::agent::metrics::SPANS_DROPPED };

/// Starts the sinks that the operator wants, until `stop`; `waiting` are the spans to be sent, if the process makes any.
/// The future ends when all is sent.
pub(crate) fn start(
    role: Role,
    settings: &Telemetry,
    trust_domain: &TrustDomain,
    own: Own,
    waiting: Option<Waiting>,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + use<>, Failure> {
    let mut tasks = JoinSet::new();
    let mut sinks = Vec::new();
    if let Some(wanted) = &settings.prometheus {
        let (recorder, page) = prometheus::recorder();
        sinks.push(Sink { recorder, typed: false });
        let tls = wanted.tls.as_ref().map(|tls| tls::acceptors(tls, own.clone())).transpose()?;
        let listen = prometheus::Listen { host: wanted.host.clone(), port: wanted.port, tls };
        tasks.spawn(prometheus::serve(listen, page, stop.clone()));
    }
    for (dialect, daemons) in
        [(Dialect::Statsd, &settings.statsd), (Dialect::DogStatsd, &settings.dog_statsd)]
    {
        for daemon in daemons {
            let (recorder, task) = statsd::recorder(dialect, address(daemon), stop.clone());
            sinks.push(Sink { recorder, typed: false });
            tasks.spawn(task);
        }
    }
    for collector in &settings.m3 {
        let wanted = m3::Settings {
            address: Address::Udp(collector.address.clone()),
            env: collector.env.clone(),
            service: role.name.to_owned(),
        };
        let (recorder, task) = m3::recorder(wanted, Clock::system(), stop.clone());
        sinks.push(Sink { recorder, typed: true });
        tasks.spawn(task);
    }
    // What ends last is told too: these end only once all else has.
    let end = CancellationToken::new();
    if let Some(wanted) = &settings.otlp {
        let told = otlp::start(role.name, wanted, settings, trust_domain, (own, waiting), &end)?;
        sinks.extend(told.sink);
        told.tasks.into_iter().for_each(|task| drop(tasks.spawn(task)));
    }
    if settings.in_memory {
        let memory = Memory::new(Clock::system());
        sinks.push(Sink { recorder: Arc::new(memory.clone()), typed: false });
        tasks.spawn(print_on_signal(memory, signal(SignalKind::user_defined1())?, stop.clone()));
    }
    if !sinks.is_empty() {
        let pipeline = Pipeline::new(naming(role.name, settings, trust_domain), sinks);
        role.set.install(Arc::new(pipeline), role.table);
        role.started.set(1.0, &[env!("CARGO_PKG_VERSION"), trust_domain.as_str()]);
        tasks.spawn(uptime(role.uptime, stop));
    }
    Ok(async move {
        end.cancel();
        while tasks.join_next().await.is_some() {}
    })
}

fn address(daemon: &Daemon) -> Address {
    match daemon {
        Daemon::Udp(address) => Address::Udp(address.clone()),
        Daemon::Unix(path) => Address::Unix(path.clone()),
    }
}

/// Logs what is in memory at each SIGUSR1.
async fn print_on_signal(memory: Memory, mut signal: Signal, stop: CancellationToken) {
    loop {
        tokio::select! {
            Some(()) = signal.recv() => {}
            () = stop.cancelled() => return,
        }
        for line in memory.lines() {
            tracing::info!("{line}");
        }
    }
}

fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn naming(role: &str, settings: &Telemetry, trust_domain: &TrustDomain) -> Naming {
    Naming {
        prefix: settings.metric_prefix.clone().unwrap_or_else(|| role.to_owned()),
        host: (!settings.no_hostname_label).then(hostname),
        trust_domain: settings.trust_domain_label.then(|| trust_domain.as_str().to_owned()),
        filter: Filter {
            allowed_prefixes: settings.allowed_prefixes.clone(),
            blocked_prefixes: settings.blocked_prefixes.clone(),
            allowed_labels: settings.allowed_labels.clone(),
            blocked_labels: settings.blocked_labels.clone(),
        },
    }
}

async fn uptime(gauge: &'static Gauge, stop: CancellationToken) {
    let began = Instant::now();
    let mut tick = tokio::time::interval(UPTIME);
    loop {
        tokio::select! {
            _ = tick.tick() => gauge.set((began.elapsed().as_secs_f64() * 1000.0).trunc(), &[]),
            () = stop.cancelled() => return,
        }
    }
}

/// The trust domains whose members may fetch metrics, or be told what happens here.
pub(crate) fn domains(settings: &Telemetry) -> HashSet<TrustDomain> {
    let scrapers = settings.prometheus.as_ref().and_then(|prometheus| prometheus.tls.as_ref());
    let scrapers = match scrapers.map(|tls| &tls.clients) {
        Some(Scrapers::Ids(ids)) => ids.as_slice(),
        _ => &[],
    };
    let collectors = settings.otlp.as_ref().and_then(|otlp| otlp.tls.as_ref());
    let collectors = match collectors.map(|tls| &tls.collectors) {
        Some(Collectors::Ids(ids)) => ids.as_slice(),
        _ => &[],
    };
    scrapers.iter().chain(collectors).map(SpiffeId::trust_domain).collect()
}

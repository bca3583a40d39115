//! Load on an agent: open streams of the Workload API, and entries on their way to them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use proto::workload::spiffe_workload_api_client::SpiffeWorkloadApiClient;
use proto::workload::{X509svidRequest, X509svidResponse};
use spiffe::SpiffeId;
use spiffe::endpoint::WORKLOAD_HEADER;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic::metadata::MetadataValue;
use tonic::{Request, Streaming};

use crate::admin::{self, Admin, BATCH};
use crate::fault::Fault;
use crate::latency::Latencies;
use crate::press::quantiles;
use crate::process::Process;
use crate::report::{Figure, Measured, Report, Unit};
use crate::wire;

/// No wait is longer.
const PATIENCE: u64 = 30;
/// How long an agent may work until it holds all SVIDs.
const FILLING: Duration = Duration::from_secs(120);
/// Larger than what any workload should see; the load's own streams may.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

/// The name of the measurement of an entry's way.
pub(crate) const ENTRY_TO_STREAM: &str = "entry created to SVID in an open stream";

/// The name of the measurement of so many streams.
pub(crate) fn streams_name(count: usize) -> String {
    format!("streams of the Workload API: {count}")
}

/// The name of the measurement of so many SVIDs.
pub(crate) fn svids_name(count: usize) -> String {
    format!("SVIDs held by the agent: {count}")
}

/// What to load, and how.
pub(crate) struct Settings {
    pub(crate) socket: PathBuf,
    pub(crate) server_socket: PathBuf,
    pub(crate) parent: Option<SpiffeId>,
    pub(crate) process: Option<Process>,
    pub(crate) streams: Vec<usize>,
    pub(crate) width: usize,
    pub(crate) rounds: usize,
    pub(crate) svids: Vec<usize>,
}

/// Measures all of it.
pub(crate) async fn measure(settings: &Settings) -> Result<Report, Fault> {
    let admin = Admin::connect(&settings.server_socket).await?;
    let parent = match &settings.parent {
        Some(parent) => parent.clone(),
        None => admin.only_agent().await?,
    };
    let run = admin::run_name();
    let own = format!("uid:{}", rustix::process::getuid().as_raw());
    // So that each stream has an answer.
    let base = admin.create(vec![admin::entry(&parent, &format!("/load/{run}/base"), &own)]).await?;
    let load = Load { settings, admin: &admin, parent, run, own };
    let measured = load.all().await;
    let removed = admin.delete(&base).await;
    let report = measured?;
    removed.map(|()| report)
}

struct Load<'a> {
    settings: &'a Settings,
    admin: &'a Admin,
    parent: SpiffeId,
    run: String,
    own: String,
}

impl Load<'_> {
    async fn all(&self) -> Result<Report, Fault> {
        let mut report = Report::default();
        self.wait_for_base().await?;
        for count in &self.settings.streams {
            report.push(self.streams(*count).await?);
        }
        if self.settings.rounds > 0 {
            report.extend(self.ways().await?);
        }
        for count in &self.settings.svids {
            report.push(self.svids(*count).await?);
        }
        Ok(report)
    }

    fn path(&self, name: &str) -> String {
        format!("/load/{}/{name}", self.run)
    }

    fn id(&self, name: &str) -> String {
        format!("{}{}", self.parent.trust_domain().id(), self.path(name))
    }

    /// An agent may learn of the entry late, and refuses callers who have none.
    async fn wait_for_base(&self) -> Result<(), Fault> {
        let id = self.id("base");
        let look = async {
            loop {
                if let Ok((_, first)) = open(&self.settings.socket).await
                    && shows(&first, &id)
                {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        within("the first identity of this run", look).await
    }

    /// Opens streams, each with a connection of its own as workloads have, and holds them all.
    async fn streams(&self, count: usize) -> Result<Measured, Fault> {
        let process = self.settings.process;
        let before = process.map(|p| Ok::<_, Fault>((p, p.resident()?, p.cpu()?))).transpose()?;
        let (gate, mut open_ones) = (Arc::new(Semaphore::new(self.settings.width)), JoinSet::new());
        for _ in 0..count {
            let (gate, socket) = (gate.clone(), self.settings.socket.clone());
            open_ones.spawn(async move {
                let _turn = gate.acquire().await;
                let start = Instant::now();
                let (stream, _) = within("the first answer of a stream", open(&socket)).await?;
                Ok::<_, Fault>((stream, start.elapsed()))
            });
        }
        let (mut held, mut times) = (Vec::with_capacity(count), Latencies::default());
        while let Some(opened) = open_ones.join_next().await {
            let (stream, time) = opened??;
            held.push(stream);
            times.push(time);
        }
        let mut figures = quantiles(&times);
        if let Some((process, before, cpu)) = before {
            let worked = process.cpu()?.saturating_sub(cpu).as_secs_f64() * 1000.0 / count.max(1) as f64;
            figures.push(Figure::new("CPU each", worked, Unit::Millis));
            tokio::time::sleep(Duration::from_millis(500)).await;
            let now = process.resident()?;
            figures.push(Figure::bytes("resident", now));
            let grown = now as f64 - before as f64;
            figures.push(Figure::new("memory each", grown / count.max(1) as f64, Unit::Bytes));
        }
        drop(held);
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(Measured { what: streams_name(count), figures })
    }

    /// From the call that creates an entry to its SVID in a stream, and from the call that deletes it to its absence.
    async fn ways(&self) -> Result<Report, Fault> {
        let (mut stream, _) = open(&self.settings.socket).await?;
        let (mut there, mut away) = (Latencies::default(), Latencies::default());
        for round in 0..self.settings.rounds {
            let name = format!("way-{round}");
            let id = self.id(&name);
            let start = Instant::now();
            let made =
                self.admin.create(vec![admin::entry(&self.parent, &self.path(&name), &self.own)]).await?;
            let seen = within("an SVID in the stream", until(&mut stream, |r| shows(r, &id))).await;
            there.push(start.elapsed());
            let start = Instant::now();
            self.admin.delete(&made).await?;
            seen?;
            within("its end in the stream", until(&mut stream, |r| !shows(r, &id))).await?;
            away.push(start.elapsed());
        }
        let row = |what: &str, times| Measured { what: what.to_owned(), figures: quantiles(times) };
        Ok(Report(vec![
            row(ENTRY_TO_STREAM, &there),
            row("entry deleted to SVID gone from an open stream", &away),
        ]))
    }

    /// Lets the agent hold SVIDs for workloads that are not here, and looks at its memory.
    async fn svids(&self, count: usize) -> Result<Measured, Fault> {
        let process = self.settings.process;
        let process =
            process.ok_or_else(|| Fault::Usage("-svids needs -pid, the agent's process".to_owned()))?;
        let before = process.resident()?;
        let mut made = Vec::with_capacity(count);
        let filled = async {
            for first in (0..count).step_by(BATCH) {
                let name = |n| self.path(&format!("svids-{count}/{n}"));
                let some = (first..count.min(first + BATCH))
                    .map(|n| admin::entry(&self.parent, &name(n), "uid:4294967294"));
                made.extend(self.admin.create(some.collect()).await?);
            }
            let start = Instant::now();
            let rests = process.rest(FILLING).await?;
            match rests {
                true => Ok((process.resident()?, start.elapsed())),
                false => {
                    Err(Fault::Slow { what: format!("rest with {count} SVIDs"), seconds: FILLING.as_secs() })
                }
            }
        }
        .await;
        self.admin.delete(&made).await?;
        let (now, _) = filled?;
        process.rest(PATIENCE_TO_REST).await?;
        let grown = now as f64 - before as f64;
        let figures = vec![
            Figure::bytes("resident", now),
            Figure::new("memory each", grown / count.max(1) as f64, Unit::Bytes),
        ];
        Ok(Measured { what: svids_name(count), figures })
    }
}

const PATIENCE_TO_REST: Duration = Duration::from_secs(PATIENCE);

/// A stream on a connection of its own, with its first answer.
pub(crate) async fn open(socket: &Path) -> Result<(Streaming<X509svidResponse>, X509svidResponse), Fault> {
    const DOING: &str = "asking the Workload API";
    let channel = wire::unix(socket).await?;
    let mut request = Request::new(X509svidRequest {});
    request.metadata_mut().insert(WORKLOAD_HEADER.0, MetadataValue::from_static(WORKLOAD_HEADER.1));
    let mut client = SpiffeWorkloadApiClient::new(channel).max_decoding_message_size(LONGEST_ANSWER);
    let mut stream = client.fetch_x509svid(request).await.map_err(Fault::call(DOING))?.into_inner();
    let first = stream.message().await.map_err(Fault::call(DOING))?;
    let first = first.ok_or(Fault::Answer { doing: DOING, what: "the stream ended at once" })?;
    Ok((stream, first))
}

fn shows(response: &X509svidResponse, id: &str) -> bool {
    response.svids.iter().any(|svid| svid.spiffe_id == id)
}

/// Follows a stream until an answer is as it is to be.
pub(crate) async fn until(
    stream: &mut Streaming<X509svidResponse>,
    met: impl Fn(&X509svidResponse) -> bool,
) -> Result<(), Fault> {
    const DOING: &str = "following the Workload API";
    loop {
        let next = stream.message().await.map_err(Fault::call(DOING))?;
        if met(&next.ok_or(Fault::Answer { doing: DOING, what: "the stream ended" })?) {
            return Ok(());
        }
    }
}

async fn within<T>(what: &str, wait: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    match tokio::time::timeout(Duration::from_secs(PATIENCE), wait).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault::Slow { what: what.to_owned(), seconds: PATIENCE }),
    }
}

//! A forced rotation: how long from the command that taints the old authority until the last SVID is another's.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use proto::workload::X509svidResponse;
use spiffe::x509::Certificate;
use tonic::Streaming;

use super::domain::{Domain, Programs, spire};
use super::start_server;
use crate::admin::{self, Admin, BATCH};
use crate::agent::{open, until};
use crate::fault::Fault;
use crate::report::{Figure, Measured};

/// How long all of it may take: SPIRE's agents replace a hundred SVIDs each five seconds.
const PATIENCE: Duration = Duration::from_secs(900);

/// The title of the section.
pub(super) const TITLE: &str = "A forced rotation";

/// What was seen.
pub(super) struct Seen {
    count: usize,
    ours: Measured,
    spire: Option<Measured>,
}

/// Has a fresh server and agent of each kind replace so many SVIDs.
pub(super) async fn measure(programs: &Programs, count: usize) -> Result<Seen, Fault> {
    let ours = one(programs.clone(), count).await?;
    let spire = match spire() {
        Some(programs) => Some(one(programs, count).await?),
        None => None,
    };
    Ok(Seen { count, ours, spire })
}

async fn one(programs: Programs, count: usize) -> Result<Measured, Fault> {
    let mut domain = Domain::prepare(programs)?;
    start_server(&mut domain, "server").await?;
    domain.start_agent().await?;
    let (server, agent) = (domain.server()?, domain.agent()?);
    let admin = Admin::connect(&domain.server_socket()).await?;
    let (mut stream, first) = filled(&admin, &domain.agent_socket(), count).await?;
    let before = within(held(&mut stream, first, count)).await?;

    let (old, next_id) = (admin.active_authority().await?, admin.prepare_authority().await?);
    // Every agent is to know the next authority before it signs.
    within(until(&mut stream, |told| told.svids.iter().any(|svid| knows(&svid.bundle, &next_id)))).await?;
    admin.activate_authority(&next_id).await?;
    let (cpu, start) = ((server.cpu()?, agent.cpu()?), Instant::now());
    admin.taint_authority(&old).await?;
    let (mut began, mut told) = (None, X509svidResponse::default());
    while told.svids.len() < count || told.svids.iter().any(|svid| !replaced(&before, svid)) {
        told = within(next(&mut stream)).await?;
        if began.is_none() && told.svids.iter().any(|svid| replaced(&before, svid)) {
            began = Some(start.elapsed());
        }
    }
    let took = start.elapsed();
    if told.svids.iter().any(|svid| !signed_by(&svid.x509_svid, &next_id)) {
        return Err(Fault::Answer { doing: FOLLOWING, what: "an SVID is not of the new authority" });
    }
    let spent = |now: Duration, then: Duration| Figure::time("CPU", now.saturating_sub(then));
    let figures = vec![
        Figure::time("first", began.unwrap_or(took)),
        Figure::time("last", took),
        Figure { name: "server CPU", ..spent(server.cpu()?, cpu.0) },
        Figure { name: "agent CPU", ..spent(agent.cpu()?, cpu.1) },
    ];
    Ok(Measured { what: format!("{TITLE} of {count} SVIDs"), figures })
}

const FOLLOWING: &str = "following the Workload API";

/// Creates the entries and opens a stream that sees them.
async fn filled(
    admin: &Admin,
    socket: &Path,
    count: usize,
) -> Result<(Streaming<X509svidResponse>, X509svidResponse), Fault> {
    let parent = admin.only_agent().await?;
    let own = format!("uid:{}", rustix::process::getuid().as_raw());
    for first in (0..count).step_by(BATCH) {
        let some = first..count.min(first + BATCH);
        admin.create(some.map(|n| admin::entry(&parent, &format!("/rotated/{n}"), &own)).collect()).await?;
    }
    // Whoever has no identity yet is refused.
    let first = async {
        loop {
            match open(socket).await {
                Ok(opened) => return Ok(opened),
                Err(Fault::Call { .. }) => tokio::time::sleep(Duration::from_millis(100)).await,
                Err(other) => return Err(other),
            }
        }
    };
    within(first).await
}

/// All SVIDs, once they are there, by their identity.
async fn held(
    stream: &mut Streaming<X509svidResponse>,
    mut told: X509svidResponse,
    count: usize,
) -> Result<HashMap<String, Vec<u8>>, Fault> {
    while told.svids.len() < count {
        told = next(stream).await?;
    }
    Ok(told.svids.into_iter().map(|svid| (svid.spiffe_id, svid.x509_svid)).collect())
}

async fn next(stream: &mut Streaming<X509svidResponse>) -> Result<X509svidResponse, Fault> {
    let ended = Fault::Answer { doing: FOLLOWING, what: "the stream ended" };
    stream.message().await.map_err(Fault::call(FOLLOWING))?.ok_or(ended)
}

fn replaced(before: &HashMap<String, Vec<u8>>, svid: &proto::workload::X509svid) -> bool {
    before.get(&svid.spiffe_id).is_none_or(|old| *old != svid.x509_svid)
}

/// Whether a bundle, certificates one after another, has the authority with this subject key ID.
fn knows(mut bundle: &[u8], id: &[u8]) -> bool {
    while let Some((certificate, rest)) = first(bundle) {
        if certificate.subject_key_id() == Some(id) {
            return true;
        }
        bundle = rest;
    }
    false
}

fn signed_by(chain: &[u8], id: &[u8]) -> bool {
    first(chain).is_some_and(|(leaf, _)| leaf.authority_key_id() == Some(id))
}

/// The first of several certificates, and what follows.
fn first(der: &[u8]) -> Option<(Certificate, &[u8])> {
    // A certificate is longer than 255 bytes and shorter than 64 KiB: its length stands in two bytes.
    let [0x30, 0x82, high, low, ..] = der else { return None };
    let (one, rest) = der.split_at_checked(4 + usize::from(u16::from_be_bytes([*high, *low])))?;
    Some((Certificate::parse(one.to_vec()).ok()?, rest))
}

async fn within<T>(wait: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault::Slow { what: TITLE.to_owned(), seconds: PATIENCE.as_secs() }),
    }
}

impl Seen {
    /// The row for the table of all measurements.
    pub(super) fn row(&self) -> Measured {
        self.ours.clone()
    }

    /// The section of the page.
    pub(super) fn section(&self) -> String {
        let cell = |row: Option<&Measured>, name| {
            row.and_then(|row| row.figure(name)).map_or_else(|| "–".to_owned(), Figure::text)
        };
        let row = |what: &str, name| {
            format!("| {what} | {} | {} |\n", cell(Some(&self.ours), name), cell(self.spire.as_ref(), name))
        };
        format!(
            "## {TITLE}\n\nOne agent holds {} X.509-SVIDs, and one stream of its Workload API sees them all. The next \
             authority is prepared and active;\nthe command taints the old one, and every SVID below it is to be \
             replaced.\n\n| from the command | seen | SPIRE 1.16 |\n|---|---:|---:|\n{}{}{}{}\n\
             ```console\nSPIRE_BIN=DIR bonafide load bench -part rotation -write docs/benchmarks.md   # without SPIRE_BIN: ours alone\n```\n",
            self.count,
            row("until the first SVID is another's", "first"),
            row("until the last is", "last"),
            row("processor time of the server", "server CPU"),
            row("processor time of the agent", "agent CPU"),
        )
    }
}

//! A server with a million entries: how long it takes to start, what it holds in memory, and what it does when it is
//! asked nothing.

use std::time::{Duration, Instant};

use super::domain::{Domain, Programs};
use super::{full, server_settings, start_server};
use crate::fault::Fault;
use crate::report::{Figure, Measured, Unit};
use crate::server;

/// How many.
const ENTRIES: u64 = 1_000_000;
/// How long the server is watched while nobody asks.
const WATCH: Duration = Duration::from_secs(30);

/// The title of the section.
pub(super) const TITLE: &str = "A million entries";

/// What was seen.
pub(super) struct Seen {
    written: Measured,
    started: Measured,
}

/// Fills a fresh server, starts it again, and watches it.
pub(super) async fn measure(programs: &Programs) -> Result<Seen, Fault> {
    let mut domain = Domain::prepare(programs.clone())?;
    start_server(&mut domain, "server").await?;
    let many = server::Settings {
        entries: ENTRIES,
        keep: true,
        duration: Duration::ZERO,
        ..server_settings(Duration::ZERO, &domain)?
    };
    let filled = server::measure(&many).await?;
    let figures = filled.0.into_iter().next().map(|row| row.figures).unwrap_or_default();
    let written = Measured { what: format!("entries created, {ENTRIES} of them"), figures };
    domain.stop_server();
    let mut started = start_server(&mut domain, &full(ENTRIES)).await?;
    started.figures.push(idle(&domain).await?);
    Ok(Seen { written, started })
}

/// The processors that the server keeps busy while nobody asks it anything.
async fn idle(domain: &Domain) -> Result<Figure, Fault> {
    let process = domain.server()?;
    let (before, begun) = (process.cpu()?, Instant::now());
    tokio::time::sleep(WATCH).await;
    let busy = process.cpu()?.saturating_sub(before).as_secs_f64() / begun.elapsed().as_secs_f64();
    Ok(Figure::new("CPU", busy, Unit::Cores))
}

impl Seen {
    /// The rows for the table of all measurements.
    pub(super) fn rows(&self) -> [Measured; 2] {
        [self.written.clone(), self.started.clone()]
    }

    /// The section of the page.
    pub(super) fn section(&self) -> String {
        let cell = |row: &Measured, name| row.figure(name).map_or_else(|| "–".to_owned(), Figure::text);
        format!(
            "## {TITLE}\n\nOne server, 1,000,000 entries in SQLite. SPIRE's figures are those of SPIRE 1.16 on the same \
             machine type.\n\n| what | seen | SPIRE 1.16 |\n|---|---:|---:|\n\
             | from the start to the first answer | {} | 22 s |\n| resident memory after the start | {} | 2.7 GB |\n\
             | processors busy while nobody asks | {} | 0.5 cores |\n| writing them, fifty a call | {} | – |\n\n\
             ```console\nbonafide load bench -part million -write docs/benchmarks.md\n```\n",
            cell(&self.started, "start-up"),
            cell(&self.started, "resident"),
            cell(&self.started, "CPU"),
            cell(&self.written, "rate"),
        )
    }
}

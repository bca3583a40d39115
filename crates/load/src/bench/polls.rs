//! SPIRE's polling protocol, asked of our server and, where its programs are at hand, of SPIRE's.

use std::fmt::Write as _;
use std::time::Duration;

use super::domain::{Domain, Programs, spire};
use super::start_server;
use crate::fault::Fault;
use crate::polls::{self, all_name, steps_name};
use crate::report::{Figure, Report};

/// How many entries an agent has.
const ENTRIES: [usize; 3] = [10, 1000, 100_000];

/// The title of the section.
pub(super) const TITLE: &str = "SPIRE's polling protocol";

/// What both servers answered.
pub(super) struct Seen {
    ours: Report,
    spire: Option<Report>,
}

/// Asks a fresh server of each kind.
pub(super) async fn measure(programs: &Programs, duration: Duration) -> Result<Seen, Fault> {
    let ours = one(programs.clone(), duration).await?;
    let spire = match spire() {
        Some(programs) => Some(one(programs, duration).await?),
        None => None,
    };
    Ok(Seen { ours, spire })
}

async fn one(programs: Programs, duration: Duration) -> Result<Report, Fault> {
    let mut domain = Domain::prepare(programs)?;
    start_server(&mut domain, "server").await?;
    polls::measure(&polls::Settings {
        socket: domain.server_socket(),
        address: domain.address(),
        process: Some(domain.server()?),
        callers: 16,
        duration,
        entries: ENTRIES.to_vec(),
        keep: true,
    })
    .await
}

impl Seen {
    /// The rows for the table of all measurements.
    pub(super) fn rows(&self) -> Report {
        self.ours.clone()
    }

    /// The section of the page.
    pub(super) fn section(&self) -> String {
        let mut text = format!(
            "## {TITLE}\n\nWhat SPIRE's agents ask every five seconds: which entries they have, all at once \
             (GetAuthorizedEntries) or in steps\n(SyncAuthorizedEntries: the revisions, and nothing has changed). An \
             answer counts when it is whole. Our own agents do not poll. What else runs shares the processors: compare\nwhat each second of the \
             server's own processor time brings.\n\n\
             | question | entries of the agent | answers | each CPU second | p99 | SPIRE 1.16: answers | each CPU second \
             | p99 |\n|---|---:|---:|---:|---:|---:|---:|---:|\n"
        );
        for count in ENTRIES {
            for (question, name) in [("all at once", all_name(count)), ("in steps", steps_name(count))] {
                let cells = |report: Option<&Report>| {
                    ["rate", "per CPU second", "p99"]
                        .map(|figure| {
                            let seen = report.and_then(|report| report.find(&name, figure));
                            seen.map_or_else(|| "–".to_owned(), Figure::text)
                        })
                        .join(" | ")
                };
                let (ours, spire) = (cells(Some(&self.ours)), cells(self.spire.as_ref()));
                // Writing to a String cannot fail.
                let _ = writeln!(text, "| {question} | {count} | {ours} | {spire} |");
            }
        }
        text.push_str(
            "\n```console\nSPIRE_BIN=DIR bonafide load bench -part polls -write docs/benchmarks.md   # without SPIRE_BIN: ours alone\n```\n",
        );
        text
    }
}

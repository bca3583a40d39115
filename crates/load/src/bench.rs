//! Everything at once: a server and an agent of its own, in a folder of their own, and a report in Markdown.

mod document;
mod domain;
mod machine;
mod million;
mod polls;
mod rotation;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::admin::Admin;
use crate::fault::Fault;
use crate::report::{Figure, Measured, Report};
use crate::{agent, credentials, crypto, page, server};
use domain::{Domain, Programs};

/// Which part to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All but the million and the rotation.
    All,
    /// SPIRE's polling protocol.
    Polls,
    /// A server with a million entries.
    Million,
    /// A forced rotation.
    Rotation,
}

/// What to measure, and where to write it.
pub(crate) struct Settings {
    pub(crate) part: Part,
    pub(crate) program: PathBuf,
    pub(crate) write: Option<PathBuf>,
    pub(crate) entries: u64,
    pub(crate) svids: usize,
    pub(crate) duration: Duration,
}

/// How many SVIDs an agent is given to hold.
const HELD: [usize; 2] = [1000, 10_000];

/// Names of the measurements.
const SERVER_IDLE: &str = "server, idle";
const AGENT_IDLE: &str = "agent, idle";
const SERVER_START: &str = "server, empty";

/// The name of the measurement of a server with so many entries.
fn full(entries: u64) -> String {
    format!("server, started with {entries} entries")
}

/// Measures and writes the document.
pub(crate) async fn run(settings: &Settings) -> Result<Report, Fault> {
    let programs = Programs::Bonafide(settings.program.clone());
    match settings.part {
        Part::All => everything(settings, programs).await,
        Part::Polls => {
            say("SPIRE's polling protocol");
            let seen = polls::measure(&programs, settings.duration).await?;
            write(settings, |old| page::with_section(old, &seen.section()))?;
            Ok(seen.rows())
        }
        Part::Million => {
            say("a server with a million entries");
            let seen = million::measure(&programs).await?;
            write(settings, |old| page::with_section(old, &seen.section()))?;
            Ok(Report(seen.rows().to_vec()))
        }
        Part::Rotation => {
            say("a forced rotation");
            let seen = rotation::measure(&programs, settings.svids).await?;
            write(settings, |old| page::with_section(old, &seen.section()))?;
            Ok(Report(vec![seen.row()]))
        }
    }
}

async fn everything(settings: &Settings, programs: Programs) -> Result<Report, Fault> {
    let mut report = Report::default();
    let step = |what: &str| say(what);
    let others = machine::busy().await;

    step("the bare cryptography");
    report.extend(crypto::measure(settings.duration.min(Duration::from_secs(3)))?);

    step("the credentials crate");
    let crate_alone = credentials::measure(settings.duration.min(Duration::from_secs(1)))?;

    step("a server and an agent at rest");
    let mut domain = Domain::prepare(programs.clone())?;
    report.push(start_server(&mut domain, SERVER_START).await?);
    report.push(rested(SERVER_IDLE, domain.server()?).await?);
    domain.start_agent().await?;
    report.push(rested(AGENT_IDLE, domain.agent()?).await?);

    step("streams, and entries on their way to them");
    report.extend(agent::measure(&agent_settings(&domain)?).await?);
    for count in HELD {
        // A fresh process, so that no memory is left from before.
        domain.stop_agent();
        domain.start_agent().await?;
        domain.agent()?.rest(Duration::from_secs(10)).await?;
        let held =
            agent::Settings { streams: vec![], rounds: 0, svids: vec![count], ..agent_settings(&domain)? };
        report.extend(agent::measure(&held).await?);
    }

    step("signatures and entries");
    report.extend(server::measure(&server_settings(settings.duration, &domain)?).await?);
    report.push(rested("server, after all that", domain.server()?).await?);

    if settings.entries > 0 {
        step("a server with many entries");
        domain.stop_agent();
        let many = server::Settings {
            entries: settings.entries,
            keep: true,
            duration: Duration::ZERO,
            ..server_settings(settings.duration, &domain)?
        };
        let filled = server::measure(&many).await?;
        let written = filled.0.into_iter().next().map(|row| row.figures).unwrap_or_default();
        report.push(Measured { what: format!("the same, {} of them", settings.entries), figures: written });
        domain.stop_server();
        report.push(start_server(&mut domain, &full(settings.entries)).await?);
    }
    drop(domain);

    step("SPIRE's polling protocol");
    let polled = polls::measure(&programs, settings.duration).await?;
    report.extend(polled.rows());

    write(settings, |old| {
        let text = document::text(&report, &crate_alone, settings.entries, others);
        page::keeping(&page::with_section(&text, &polled.section()), old)
    })?;
    Ok(report)
}

/// Writes the page that comes of the one that is there, if it is to be written.
fn write(settings: &Settings, new: impl FnOnce(&str) -> String) -> Result<(), Fault> {
    let Some(path) = &settings.write else { return Ok(()) };
    let old = std::fs::read_to_string(path).unwrap_or_default();
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    let written = folder.and_then(|()| std::fs::write(path, new(&old)));
    written.map_err(|cause| Fault::File { doing: "writing", path: path.clone(), cause })
}

/// Progress, for people.
#[allow(clippy::print_stderr)] // this is where a person reads
fn say(what: &str) {
    eprintln!("measuring {what}");
}

/// Starts the server and waits for its first answer.
async fn start_server(domain: &mut Domain, what: &str) -> Result<Measured, Fault> {
    let start = Instant::now();
    domain.start_server()?;
    loop {
        match Admin::connect(&domain.server_socket()).await {
            Ok(admin) if admin.bundle().await.is_ok() => break,
            _ => domain.look("server", start).await?,
        }
    }
    let up = start.elapsed();
    let process = domain.server()?;
    process.rest(Duration::from_secs(10)).await?;
    let figures = vec![Figure::time("start-up", up), Figure::bytes("resident", process.resident()?)];
    Ok(Measured { what: what.to_owned(), figures })
}

async fn rested(what: &str, process: crate::process::Process) -> Result<Measured, Fault> {
    process.rest(Duration::from_secs(10)).await?;
    Ok(Measured { what: what.to_owned(), figures: vec![Figure::bytes("resident", process.resident()?)] })
}

fn server_settings(duration: Duration, domain: &Domain) -> Result<server::Settings, Fault> {
    Ok(server::Settings {
        socket: domain.server_socket(),
        address: domain.address(),
        process: Some(domain.server()?),
        callers: 16,
        connections: 4,
        duration,
        entries: 20_000,
        keep: false,
    })
}

fn agent_settings(domain: &Domain) -> Result<agent::Settings, Fault> {
    Ok(agent::Settings {
        socket: domain.agent_socket(),
        server_socket: domain.server_socket(),
        parent: None,
        process: Some(domain.agent()?),
        streams: vec![1, 100, 1000],
        width: 50,
        rounds: 200,
        svids: vec![],
    })
}

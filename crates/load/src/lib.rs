//! Puts load on a server or an agent over the public wire alone, and reports rates, latencies and what they cost.
//!
//! Whatever is measured ends by itself: each run is bounded in calls and in time. What a run creates it also removes.

mod admin;
mod agent;
mod bench;
mod command;
mod credentials;
mod crypto;
mod fault;
mod latency;
mod node;
mod page;
mod polls;
mod press;
mod process;
mod report;
mod server;
mod wire;

use std::io::Write;
use std::process::ExitCode;

use kit::flags::{Program, Reading};

use command::Job;
use fault::Fault;
use report::Report;

/// The program of the load generators: its name and its commands.
#[must_use]
pub fn program() -> Program {
    let version = format!("bonafide {}", env!("CARGO_PKG_VERSION"));
    let commands = command::TABLE.iter().map(|(command, _)| command).collect();
    Program { name: "bonafide load", version, commands }
}

/// Does what a command line asks for; `arguments` follow the words `bonafide load`.
#[allow(clippy::print_stderr)] // this is where a person reads
pub fn main(arguments: &[String]) -> ExitCode {
    let (command, values) = match program().read(arguments) {
        Reading::Say { text, code } => {
            eprint!("{text}");
            return ExitCode::from(code);
        }
        Reading::Run(command, values) => (command, values),
    };
    let job = command::TABLE.iter().find(|(known, _)| known.path == command.path).map(|(_, job)| *job);
    match job.map(|job| run(job, &values)) {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(fault)) => {
            eprintln!("Error: {}", fault.chain());
            ExitCode::FAILURE
        }
        None => ExitCode::FAILURE,
    }
}

fn run(job: Job, values: &kit::flags::Values) -> Result<(), Fault> {
    // Where that fails, the run says which connection could not be opened.
    let _ = kit::open_files::raise();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Fault::Runtime)?;
    let report: Report = runtime.block_on(async {
        tokio::select! {
            report = command::run(job, values) => report,
            // Told to end, it takes what it has started with it.
            () = told_to_end() => Err(Fault::Interrupted),
        }
    })?;
    let text = match values.text("output") {
        "json" => format!("{}\n", report.json()),
        _ => report.table(),
    };
    // Whoever reads may be gone; then nobody misses it.
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(())
}

/// Waits for an interrupt or the signal to terminate.
async fn told_to_end() {
    let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

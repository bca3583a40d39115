//! Profiles in files: `.profiles/<time>_<role>_<name>.pb.gz` in the folder that the process runs in (SPIRE 1.16).

use std::path::Path;
use std::time::{Duration, SystemTime};

use kit::clock::Clock;
use kit::log::moment;
use tokio_util::sync::CancellationToken;

use super::cpu::Cpu;
use super::{Fault, Kind, Settings, threads, why_not};

const FOLDER: &str = ".profiles";

/// Writes files every so often until `stop`. That of processor time covers all of the time since the last one.
pub(super) async fn dump(settings: &Settings, every: Duration, clock: &Clock, stop: &CancellationToken) {
    let mut kinds = Vec::new();
    for name in &settings.names {
        match (Kind::parse(name), why_not(name)) {
            (Some(kind), _) => kinds.push((name.as_str(), kind)),
            (None, Some(reason)) => tracing::warn!(name, reason, "There is no profile of this name"),
            (None, None) => tracing::warn!(name, "Unknown profile; use cpu or threadcreate"),
        }
    }
    if kinds.is_empty() {
        tracing::warn!(error = "there are no dumpers active", "Failed to run profiling");
        return stop.cancelled().await;
    }
    let wants_cpu = kinds.iter().any(|(_, kind)| *kind == Kind::Cpu);
    let mut cpu = begin(wants_cpu, clock);
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = stop.cancelled() => return,
        }
        let now = clock.now();
        for (name, kind) in &kinds {
            let made = match (kind, cpu.take()) {
                (Kind::Cpu, Some(cpu)) => finish(cpu, now).await,
                // It was taken when this one should have begun.
                (Kind::Cpu, None) => Err(Fault::Busy),
                (Kind::Threads, kept) => {
                    cpu = kept;
                    threads::profile(now)
                }
            };
            let written = made.map_err(|error| error.to_string()).and_then(|bytes| {
                write(&file(now, settings.role, name), &bytes).map_err(|error| error.to_string())
            });
            if let Err(error) = written {
                tracing::warn!(error, name, "A profile could not be written");
            }
        }
        if cpu.is_none() {
            cpu = begin(wants_cpu, clock);
        }
    }
}

fn begin(wanted: bool, clock: &Clock) -> Option<Cpu> {
    let begun = wanted.then(|| Cpu::begin(clock.now()))?;
    begun.inspect_err(|error| tracing::warn!(error = %error, "No profile of processor time is made")).ok()
}

/// The profile, made on a thread that may block.
pub(super) async fn finish(cpu: Cpu, now: SystemTime) -> Result<Vec<u8>, Fault> {
    tokio::task::spawn_blocking(move || cpu.finish(now)).await.unwrap_or(Err(Fault::Gone))
}

/// `2026-01-31_235959_server_cpu.pb.gz`
fn file(now: SystemTime, role: &str, name: &str) -> String {
    // "2026-01-31 23:59:59… +0000 UTC"
    let moment = moment(now).to_string();
    let (day, time) = moment.split_once(' ').unwrap_or((&moment, ""));
    let time: String = time.chars().take(8).filter(char::is_ascii_digit).collect();
    format!("{day}_{time}_{role}_{name}.pb.gz")
}

fn write(name: &str, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(FOLDER)?;
    std::fs::write(Path::new(FOLDER).join(name), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_spires() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_250);
        assert_eq!(file(now, "agent", "cpu"), "2023-11-14_221320_agent_cpu.pb.gz");
    }
}

//! Profiles of the running process, in the form that `go tool pprof` reads: over HTTP on loopback, and in files now and
//! then, as SPIRE 1.16 has them. Of the kinds that Go's runtime knows, those are here that mean something of this
//! process; for each of the others it is said [why not](why_not).

mod cpu;
mod dump;
mod gzip;
mod serve;
mod threads;
mod wire;

use std::time::Duration;

use kit::clock::Clock;
use tokio_util::sync::CancellationToken;

/// What to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The port on loopback that serves profiles.
    pub port: Option<u16>,
    /// How often files are written.
    pub every: Option<Duration>,
    /// Of which kinds.
    pub names: Vec<String>,
    /// The role, in the names of files: `server`.
    pub role: &'static str,
}

/// A kind of profile that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Where processor time goes.
    Cpu,
    /// The threads that there are.
    Threads,
}

impl Kind {
    /// By SPIRE's name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "cpu" => Some(Self::Cpu),
            "threadcreate" => Some(Self::Threads),
            _ => None,
        }
    }
}

/// Why there is no profile of this kind, if it is one that SPIRE has.
#[must_use]
pub fn why_not(name: &str) -> Option<&'static str> {
    Some(match name {
        "heap" | "allocs" => {
            "the allocator keeps no record of who asked for memory; see VmRSS in /proc/<pid>/status for how much there is"
        }
        "goroutine" => "there are no goroutines; threadcreate lists the threads",
        "block" | "mutex" => "waits for locks are not recorded",
        "trace" => "there is no Go runtime to trace; telemetry.OTLP sends traces of what the process does",
        "symbol" => "profiles carry their symbols",
        _ => return None,
    })
}

/// Serves and writes profiles until `stop`.
pub async fn run(settings: Settings, clock: Clock, stop: CancellationToken) {
    let serve = async {
        match settings.port {
            Some(port) => serve::serve(port, &clock, &stop).await,
            None => stop.cancelled().await,
        }
    };
    let dump = async {
        match settings.every {
            Some(every) => dump::dump(&settings, every, &clock, &stop).await,
            None => stop.cancelled().await,
        }
    };
    tokio::join!(serve, dump);
}

/// Why there is no profile now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// Another one is being made.
    #[error("a profile of processor time is being made already; try again when it is done")]
    Busy,
    /// The sampler failed.
    #[error("processor time cannot be sampled: {0}")]
    Sampler(#[from] pprof::Error),
    /// The system did not tell of its threads.
    #[error("the threads cannot be listed: {0}")]
    Threads(#[from] std::io::Error),
    /// The thread that makes it ended.
    #[error("the profile could not be made")]
    Gone,
}

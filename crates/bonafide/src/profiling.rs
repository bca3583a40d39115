//! Profiles of a role, if the operator wants them.

use config::Profiling;
use kit::clock::Clock;
use telemetry::profile::{Settings, run};
use tokio_util::sync::CancellationToken;

/// Begins to serve and write profiles, until `stop`. The future ends when that has.
pub(crate) fn start(
    role: &'static str,
    wanted: Option<&Profiling>,
    stop: &CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let task = wanted.map(|wanted| {
        let settings = Settings { port: wanted.port, every: wanted.every, names: wanted.names.clone(), role };
        tokio::spawn(run(settings, Clock::system(), stop.clone()))
    });
    async move {
        if let Some(task) = task {
            let _ = task.await;
        }
    }
}

//! SIGINT and SIGTERM stop; SIGUSR2 opens the log file anew.

use kit::log::Control;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that a first SIGINT or SIGTERM cancels. A second one ends the process as signals do.
pub(crate) fn stop_on_signal() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let token = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        token.cancel();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        std::process::exit(130);
    });
    Ok(stop)
}

/// Opens the log file anew at each SIGUSR2.
pub(crate) fn reopen_on_signal(log: Control) -> std::io::Result<()> {
    let mut again = signal(SignalKind::user_defined2())?;
    tokio::spawn(async move {
        while again.recv().await.is_some() {
            match log.reopen() {
                Ok(()) => tracing::info!("Log file reopened"),
                Err(error) => {
                    tracing::error!(error = %error, "Log file could not be reopened; going on with the old one")
                }
            }
        }
    });
    Ok(())
}

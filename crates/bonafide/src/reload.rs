//! Fresh settings of plugins that are built in at SIGUSR1: the files named by `plugin_data_file` are read again. What is
//! wrong with them is told, and the old settings stay.

mod agent;
mod changing;
mod server;
mod slot;

pub(crate) use agent::AgentReloading;
pub(crate) use server::Reloading;

use std::sync::{Arc, Mutex};

use tokio::signal::unix::{SignalKind, signal};

use crate::start::{Failure, chain};

/// Reads settings anew by `load` at each SIGUSR1, and hands them on.
fn on_signal<S: Send + 'static>(
    load: impl Fn() -> Result<S, Failure> + Send + 'static,
    renew: impl Fn(&S) + Send + 'static,
) -> std::io::Result<()> {
    let mut asked = signal(SignalKind::user_defined1())?;
    tokio::spawn(async move {
        while asked.recv().await.is_some() {
            tracing::info!(subsystem_name = "reconfigurer", "Reconfigure signal received");
            match load() {
                Ok(fresh) => renew(&fresh),
                Err(error) => {
                    tracing::error!(
                        error = chain(&*error),
                        "Failed to reconfigure plugin; going on with the old settings"
                    );
                }
            }
        }
    });
    Ok(())
}

/// What is shared between who makes plugins and who renews them.
type Shared<T> = Arc<Mutex<T>>;

//! Fresh settings of node attestors at SIGUSR1: the files named by `plugin_data_file` are read again. What is wrong with
//! them is told, and the old settings stay.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use config::server::NodeAttestor;
use model::Attested;
use model::ports::{self, AttestError, Challenger};
use tokio::signal::unix::{SignalKind, signal};

use crate::start::{Failure, chain};

type Attestor = Arc<dyn ports::NodeAttestor>;
/// Makes an attestor of its settings, or says what is wrong with them.
type Make = Box<dyn Fn(&NodeAttestor) -> Result<Attestor, Failure> + Send + Sync>;

/// An attestor that can become another of its kind.
struct Changing {
    name: &'static str,
    now: ArcSwap<Attestor>,
}

#[async_trait]
impl ports::NodeAttestor for Changing {
    fn name(&self) -> &'static str {
        self.name
    }

    /// An attestation ends with the settings that it began with.
    async fn attest(
        &self,
        payload: &[u8],
        node: &mut dyn Challenger,
        now: SystemTime,
    ) -> Result<Attested, AttestError> {
        let attestor = Attestor::clone(&self.now.load());
        attestor.attest(payload, node, now).await
    }
}

/// The attestors of a server, each with the settings that it has now. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Reloading(Arc<Mutex<Option<State>>>);

struct State {
    make: Make,
    attestors: Vec<(NodeAttestor, Arc<Changing>)>,
}

impl Reloading {
    /// Makes the attestors; those whose settings are wrong are left out, which was told before.
    pub(crate) fn begin(&self, settings: &[NodeAttestor], make: Make) -> Vec<Attestor> {
        let made = settings.iter().filter_map(|settings| {
            let attestor = make(settings).ok()?;
            let now = ArcSwap::from_pointee(attestor.clone());
            Some((settings.clone(), Arc::new(Changing { name: attestor.name(), now })))
        });
        let attestors: Vec<_> = made.collect();
        let all = attestors.iter().map(|(_, attestor)| attestor.clone() as Attestor).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(State { make, attestors });
        all
    }

    /// Gives each attestor its settings out of these.
    fn renew(&self, fresh: &[NodeAttestor]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(State { make, attestors }) = state.as_mut() else { return };
        for (known, changing) in attestors {
            let alike =
                |other: &&NodeAttestor| std::mem::discriminant(*other) == std::mem::discriminant(known);
            let Some(settings) = fresh.iter().find(alike) else { continue };
            let (plugin_name, plugin_type) = (changing.name, "NodeAttestor");
            if settings == known {
                tracing::info!(
                    plugin_name,
                    plugin_type,
                    "Plugin not reconfigured since the config is unchanged"
                );
                continue;
            }
            match make(settings) {
                Ok(attestor) => {
                    changing.now.store(Arc::new(attestor));
                    *known = settings.clone();
                    tracing::info!(plugin_name, plugin_type, "Plugin reconfigured");
                }
                Err(error) => {
                    tracing::error!(
                        plugin_name,
                        plugin_type,
                        error = chain(&*error),
                        "Failed to reconfigure plugin"
                    );
                }
            }
        }
    }

    /// Reads settings anew by `load` at each SIGUSR1.
    pub(crate) fn on_signal(
        &self,
        load: impl Fn() -> Result<Vec<NodeAttestor>, Failure> + Send + 'static,
    ) -> std::io::Result<()> {
        let mut asked = signal(SignalKind::user_defined1())?;
        let reloading = self.clone();
        tokio::spawn(async move {
            while asked.recv().await.is_some() {
                match load() {
                    Ok(fresh) => reloading.renew(&fresh),
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
}

//! External plugins of a role: started with it, given fresh settings at SIGUSR1, ended with it.

use std::sync::{Arc, Mutex, PoisonError};

use config::{External, PluginData};
use kit::metrics::{Loose, Set};
use plugins_external::{Checksum, Configurable, HostServices, Launch, Measure, Plugin, Sample, Settings};
use spiffe::TrustDomain;
use tokio::signal::unix::{SignalKind, signal};

use crate::start::{Failure, chain};

/// The external plugins of this process. Clones share them.
#[derive(Clone)]
pub(crate) struct Externals {
    trust_domain: TrustDomain,
    host: HostServices,
    running: Arc<Mutex<Vec<Arc<Configurable>>>>,
}

impl Externals {
    /// None yet; they will find these services at their host.
    pub(crate) fn new(trust_domain: TrustDomain, host: HostServices) -> Self {
        Self { trust_domain, host, running: Arc::default() }
    }

    /// Starts a plugin and hands it its settings.
    pub(crate) async fn start(&self, kind: &'static str, external: &External) -> Result<Plugin, Failure> {
        let failed = |what: &str, error: &(dyn std::error::Error + 'static)| {
            let name = &external.name;
            let error = chain(error);
            tracing::error!(
                plugin_name = name,
                plugin_type = kind,
                external = true,
                error,
                "Failed to {what} plugin"
            );
            Failure::from(format!("failed to {what} plugin {name:?}: {error}"))
        };
        let plugin = launch(kind, external, self.host.clone()).await.map_err(|e| failed("load", &*e))?;
        let settings = settings(&external.data);
        let configured = Configurable::configure(plugin.clone(), self.trust_domain.clone(), settings).await;
        match configured {
            Ok(configured) => self.list().push(Arc::new(configured)),
            Err(error) => {
                plugin.stop().await;
                return Err(failed("configure", &error));
            }
        }
        tracing::info!(plugin_name = plugin.name(), plugin_type = kind, external = true, "Plugin loaded");
        Ok(plugin)
    }

    /// Gives each plugin its settings again at SIGUSR1, if the file that they stand in has changed.
    pub(crate) fn reload_on_signal(&self) -> std::io::Result<()> {
        let mut asked = signal(SignalKind::user_defined1())?;
        let externals = self.clone();
        tokio::spawn(async move {
            while asked.recv().await.is_some() {
                let running = externals.list().clone();
                for plugin in running {
                    plugin.reconfigure().await;
                }
            }
        });
        Ok(())
    }

    /// Ends them, the last one first, and waits until they have ended.
    pub(crate) async fn stop(&self) {
        let running = std::mem::take(&mut *self.list());
        for plugin in running.iter().rev() {
            plugin.plugin().stop().await;
        }
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Configurable>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is wrong with a plugin and its settings, asked of the plugin itself: it is started for that, and ended again.
pub(crate) async fn faults(
    kind: &'static str,
    external: &External,
    td: &TrustDomain,
    host: HostServices,
) -> Vec<String> {
    let named = |what: String| format!("{kind} {:?}: {what}", external.name);
    let plugin = match launch(kind, external, host).await {
        Ok(plugin) => plugin,
        Err(error) => return vec![named(chain(&*error))],
    };
    let said = Configurable::validate(&plugin, td, &settings(&external.data)).await;
    plugin.stop().await;
    said.unwrap_or_else(|error| vec![chain(&error)]).into_iter().map(named).collect()
}

async fn launch(kind: &'static str, external: &External, host: HostServices) -> Result<Plugin, Failure> {
    let launch = Launch {
        kind,
        name: external.name.clone(),
        command: external.command.clone(),
        args: external.args.clone(),
        checksum: external.checksum.as_deref().map(Checksum::parse).transpose()?,
    };
    Ok(Plugin::start(launch, host).await?)
}

fn settings(data: &PluginData) -> Settings {
    match data {
        PluginData::None => Settings::None,
        PluginData::Inline(text) => Settings::Inline(text.clone()),
        PluginData::File(path) => Settings::File(path.clone()),
    }
}

/// Has what plugins measure go where the metrics of this role go.
pub(crate) fn measure(set: &'static Set) -> Measure {
    Arc::new(move |name, labels, sample| {
        let value = match sample {
            Sample::Gauge(value) => Loose::Gauge(value),
            // Counters count whole things here; a negative or partial count is none.
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "rounded, and not below zero"
            )]
            Sample::Counter(value) => Loose::Counter(value.max(0.0).round() as u64),
            Sample::Value(value) => Loose::Sample(value),
            Sample::Time(took) => Loose::Time(took.as_secs_f64() * 1000.0),
        };
        set.emit(&name.join("."), labels, value);
    })
}

//! A plugin's settings: handed over at start, and again when the file that they are in has changed.

use std::path::PathBuf;
use std::sync::Mutex;

use aws_lc_rs::digest::{SHA512, digest};
use proto::spire::service::common::config::v1::config_client::ConfigClient;
use proto::spire::service::common::config::v1::{ConfigureRequest, CoreConfiguration, ValidateRequest};
use spiffe::TrustDomain;
use tonic::Code;

use crate::call;
use crate::plugin::Plugin;

/// The service of plugins that take settings.
pub(crate) const SERVICE: &str = "spire.service.common.config.v1.Config";
/// The largest file of settings.
const MAX_FILE: u64 = 1 << 20;

/// Where a plugin's settings stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settings {
    /// Nowhere.
    None,
    /// In the configuration, as HCL (`plugin_data`).
    Inline(String),
    /// In a file that is read again when asked (`plugin_data_file`).
    File(PathBuf),
}

/// Why a plugin does not take its settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    /// There are settings, and the plugin takes none.
    #[error("no supported configuration interface found: the plugin takes no plugin_data")]
    TakesNone,
    /// The file cannot be read.
    #[error("failed to load plugin data: {file}: {cause}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The plugin refuses them.
    #[error("{0}")]
    Refused(String),
}

/// A plugin with its settings.
pub struct Configurable {
    plugin: Plugin,
    trust_domain: TrustDomain,
    settings: Settings,
    /// Of the settings that the plugin has.
    hash: Mutex<String>,
}

impl Configurable {
    /// Hands a plugin its settings.
    ///
    /// # Errors
    /// When they cannot be read, or the plugin refuses them.
    pub async fn configure(
        plugin: Plugin,
        trust_domain: TrustDomain,
        settings: Settings,
    ) -> Result<Self, ConfigureError> {
        let new = Self { plugin, trust_domain, settings, hash: Mutex::default() };
        if !new.plugin.has(SERVICE) {
            return match new.settings {
                Settings::None => Ok(new),
                _ => Err(ConfigureError::TakesNone),
            };
        }
        let data = new.load()?;
        new.hand_over(&data).await?;
        let (plugin_name, plugin_type) = (new.plugin.name(), new.plugin.kind());
        match new.settings {
            Settings::File(_) => {
                let hash = hash(&data);
                tracing::info!(
                    plugin_name,
                    plugin_type,
                    external = true,
                    reconfigurable = true,
                    hash,
                    "Configured plugin"
                );
                new.remember(hash);
            }
            _ => tracing::info!(
                plugin_name,
                plugin_type,
                external = true,
                reconfigurable = false,
                "Configured plugin"
            ),
        }
        Ok(new)
    }

    /// What a plugin says of settings without taking them: one line for each mistake.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn validate(
        plugin: &Plugin,
        trust_domain: &TrustDomain,
        settings: &Settings,
    ) -> Result<Vec<String>, ConfigureError> {
        if !plugin.has(SERVICE) {
            return match settings {
                Settings::None => Ok(Vec::new()),
                _ => Err(ConfigureError::TakesNone),
            };
        }
        let request = ValidateRequest {
            core_configuration: Some(CoreConfiguration { trust_domain: trust_domain.as_str().to_owned() }),
            hcl_configuration: settings.load()?,
        };
        match call::answer(plugin, ConfigClient::new(plugin.channel()).validate(request)).await {
            Ok(answer) if answer.valid || !answer.notes.is_empty() => Ok(answer.notes),
            Ok(_) => Ok(vec!["the plugin does not take its settings".to_owned()]),
            // Older plugins only find out when they are run.
            Err(status) if status.code() == Code::Unimplemented => Ok(Vec::new()),
            Err(status) => Ok(vec![status.message().to_owned()]),
        }
    }

    /// Reads settings in a file again, and hands them over if they changed. What goes wrong is logged, and the plugin
    /// goes on with what it has.
    pub async fn reconfigure(&self) {
        let Settings::File(_) = self.settings else { return };
        if !self.plugin.has(SERVICE) {
            return;
        }
        let (plugin_name, plugin_type) = (self.plugin.name(), self.plugin.kind());
        let old = self.hash.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let fresh = async {
            let data = self.load()?;
            let new = hash(&data);
            if new != old {
                self.hand_over(&data).await?;
            }
            Ok::<_, ConfigureError>(new)
        };
        match fresh.await {
            Ok(new) if new == old => {
                tracing::info!(
                    plugin_name,
                    plugin_type,
                    external = true,
                    hash = old,
                    "Plugin not reconfigured since the config is unchanged"
                );
            }
            Ok(new) => {
                tracing::info!(
                    plugin_name,
                    plugin_type,
                    external = true,
                    old_hash = old,
                    new_hash = new,
                    "Plugin reconfigured"
                );
                self.remember(new);
            }
            Err(error) => {
                tracing::error!(plugin_name, plugin_type, external = true, error = %error, "Failed to reconfigure plugin");
            }
        }
    }

    /// The plugin.
    #[must_use]
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    fn load(&self) -> Result<String, ConfigureError> {
        self.settings.load()
    }

    async fn hand_over(&self, data: &str) -> Result<(), ConfigureError> {
        let request = ConfigureRequest {
            core_configuration: Some(CoreConfiguration {
                trust_domain: self.trust_domain.as_str().to_owned(),
            }),
            hcl_configuration: data.to_owned(),
        };
        let call =
            call::answer(&self.plugin, ConfigClient::new(self.plugin.channel()).configure(request)).await;
        call.map(|_| ()).map_err(|status| ConfigureError::Refused(status.message().to_owned()))
    }

    fn remember(&self, hash: String) {
        *self.hash.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = hash;
    }
}

impl Settings {
    fn load(&self) -> Result<String, ConfigureError> {
        use std::io::Read as _;
        let Self::File(file) = self else {
            return Ok(if let Self::Inline(data) = self { data.clone() } else { String::new() });
        };
        let unreadable = |cause| ConfigureError::Unreadable { file: file.display().to_string(), cause };
        let mut text = String::new();
        let mut reader = std::fs::File::open(file).map_err(unreadable)?.take(MAX_FILE + 1);
        reader.read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > MAX_FILE {
            return Err(unreadable(std::io::Error::other(format!("more than {MAX_FILE} bytes"))));
        }
        Ok(text)
    }
}

/// Names a version of the settings: the first half of their SHA-512.
fn hash(data: &str) -> String {
    let sum = digest(&SHA512, data.as_bytes());
    sum.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

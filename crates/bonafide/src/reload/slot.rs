//! A plugin that can take other settings.

use crate::start::{Failure, chain};

/// Hands a plugin other settings.
type Take<S> = Box<dyn Fn(&S) -> Result<(), Failure> + Send>;

/// What a plugin has now, and how it takes others.
pub(super) struct Slot<S> {
    kind: &'static str,
    name: &'static str,
    now: S,
    take: Take<S>,
}

impl<S: PartialEq + Clone> Slot<S> {
    pub(super) fn new(
        (kind, name): (&'static str, &'static str),
        now: S,
        take: impl Fn(&S) -> Result<(), Failure> + Send + 'static,
    ) -> Self {
        Self { kind, name, now, take: Box::new(take) }
    }

    /// Takes the settings of its own kind out of these, if they are others.
    pub(super) fn renew<'a>(&mut self, fresh: impl IntoIterator<Item = &'a S>)
    where
        S: 'a,
    {
        let alike = |other: &&S| std::mem::discriminant(*other) == std::mem::discriminant(&self.now);
        let Some(settings) = fresh.into_iter().find(alike) else { return };
        let (plugin_type, plugin_name) = (self.kind, self.name);
        if *settings == self.now {
            tracing::info!(plugin_name, plugin_type, "Plugin not reconfigured since the config is unchanged");
            return;
        }
        match (self.take)(settings) {
            Ok(()) => {
                self.now = settings.clone();
                tracing::info!(plugin_name, plugin_type, "Plugin reconfigured");
            }
            Err(error) => {
                let error = chain(&*error);
                tracing::error!(plugin_name, plugin_type, error, "Failed to reconfigure plugin");
            }
        }
    }
}

//! The agent's plugins.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use config::agent::{AgentSettings, KeyManager, NodeAttestor, WorkloadAttestor};
use model::ports;
use plugins_local::keys::Disk;

use super::changing::Changing;
use super::slot::Slot;
use super::{Shared, on_signal};
use crate::start::Failure;
use crate::workload;

/// The plugins of an agent, each with the settings that it has now. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct AgentReloading(Shared<Slots>);

#[derive(Default)]
struct Slots {
    keys: Option<Slot<KeyManager>>,
    proof: Option<Slot<NodeAttestor>>,
    workloads: Vec<Slot<WorkloadAttestor>>,
}

impl AgentReloading {
    /// Keys in a folder, which can move to another.
    pub(crate) fn keys(&self, directory: &Path) -> Result<Arc<dyn ports::KeyManager>, Failure> {
        let disk = Arc::new(Disk::in_directory(directory)?);
        let moved = disk.clone();
        let now = KeyManager::Disk { directory: directory.to_owned() };
        let slot = Slot::new(("KeyManager", "disk"), now, move |fresh| match fresh {
            KeyManager::Disk { directory } => Ok(moved.move_to_directory(directory)?),
            _ => Ok(()),
        });
        self.with(|slots| slots.keys = Some(slot));
        Ok(disk)
    }

    /// A proof of the node that can change. `make` makes none of what is not built in.
    pub(crate) fn proof(
        &self,
        settings: &NodeAttestor,
        first: Arc<dyn ports::NodeProof>,
        make: impl Fn(&NodeAttestor) -> Result<Option<Arc<dyn ports::NodeProof>>, Failure> + Send + 'static,
    ) -> Arc<dyn ports::NodeProof> {
        let name = first.name();
        let changing = Changing::new(name, first);
        let shown = changing.clone();
        let slot = Slot::new(("NodeAttestor", name), settings.clone(), move |fresh| {
            if let Some(other) = make(fresh)? {
                changing.become_another(other);
            }
            Ok(())
        });
        self.with(|slots| slots.proof = Some(slot));
        shown
    }

    /// An attestor of workloads that can change.
    pub(crate) fn workload(
        &self,
        settings: &WorkloadAttestor,
        first: Arc<dyn ports::WorkloadAttestor>,
    ) -> Arc<dyn ports::WorkloadAttestor> {
        let name = first.name();
        let changing = Changing::new(name, first);
        let shown = changing.clone();
        let slot = Slot::new(("WorkloadAttestor", name), settings.clone(), move |fresh| {
            if let Some(other) = workload::attestor(fresh)? {
                changing.become_another(other);
            }
            Ok(())
        });
        self.with(|slots| slots.workloads.push(slot));
        shown
    }

    fn with<T>(&self, then: impl FnOnce(&mut Slots) -> T) -> T {
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads settings anew by `load` at each SIGUSR1.
    pub(crate) fn on_signal(
        &self,
        load: impl Fn() -> Result<AgentSettings, Failure> + Send + 'static,
    ) -> std::io::Result<()> {
        let reloading = self.clone();
        on_signal(load, move |fresh: &AgentSettings| {
            reloading.with(|slots| {
                if let Some(slot) = &mut slots.keys {
                    slot.renew([&fresh.key_manager]);
                }
                if let Some(slot) = &mut slots.proof {
                    slot.renew([&fresh.node_attestor]);
                }
                slots.workloads.iter_mut().for_each(|slot| slot.renew(&fresh.workload_attestors));
            });
        })
    }
}

//! The server's plugins.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use config::server::{KeyManager, NodeAttestor, ServerSettings, UpstreamAuthority};
use model::ports;
use plugins_local::keys::Disk;
use spiffe::TrustDomain;

use super::changing::Changing;
use super::slot::Slot;
use super::{Shared, on_signal};
use crate::start::Failure;
use crate::upstream;

type Attestor = Arc<dyn ports::NodeAttestor>;
/// Makes an attestor of its settings, or says what is wrong with them.
type Make = Arc<dyn Fn(&NodeAttestor) -> Result<Attestor, Failure> + Send + Sync>;

/// The plugins of a server, each with the settings that it has now. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Reloading(Shared<Slots>);

#[derive(Default)]
struct Slots {
    attestors: Vec<Slot<NodeAttestor>>,
    others: Vec<Slot<Other>>,
}

#[derive(Clone, PartialEq)]
enum Other {
    Keys(KeyManager),
    Upstream(UpstreamAuthority),
}

impl Reloading {
    /// Makes the attestors; those whose settings are wrong are left out, which was told before.
    pub(crate) fn attestors(&self, settings: &[NodeAttestor], make: Make) -> Vec<Attestor> {
        let mut all = Vec::new();
        for settings in settings {
            let Ok(first) = make(settings) else { continue };
            let (name, make) = (first.name(), make.clone());
            let changing = Changing::new(name, first);
            all.push(changing.clone() as Attestor);
            let slot = Slot::new(("NodeAttestor", name), settings.clone(), move |fresh: &NodeAttestor| {
                changing.become_another(make(fresh)?);
                Ok(())
            });
            self.with(|slots| slots.attestors.push(slot));
        }
        all
    }

    /// Keys in a file, which can move to another.
    pub(crate) fn keys(&self, keys_path: &Path) -> Result<Arc<dyn ports::KeyManager>, Failure> {
        let disk = Arc::new(Disk::open(keys_path)?);
        let moved = disk.clone();
        let now = Other::Keys(KeyManager::Disk { keys_path: keys_path.to_owned() });
        let slot = Slot::new(("KeyManager", "disk"), now, move |fresh| match fresh {
            Other::Keys(KeyManager::Disk { keys_path }) => Ok(moved.move_to(keys_path)?),
            _ => Ok(()),
        });
        self.with(|slots| slots.others.push(slot));
        Ok(disk)
    }

    /// The authority above a server, if it is one that is built in.
    pub(crate) fn upstream(
        &self,
        trust_domain: &TrustDomain,
        settings: &UpstreamAuthority,
    ) -> Result<Option<Arc<dyn ports::UpstreamAuthority>>, Failure> {
        let td = trust_domain.clone();
        let Some(first) = upstream::built_in(&td, settings)? else { return Ok(None) };
        let name = first.name();
        let changing = Changing::new(name, first);
        let shown = changing.clone();
        let now = Other::Upstream(settings.clone());
        let slot = Slot::new(("UpstreamAuthority", name), now, move |fresh| {
            let Other::Upstream(settings) = fresh else { return Ok(()) };
            if let Some(other) = upstream::built_in(&td, settings)? {
                changing.become_another(other);
            }
            Ok(())
        });
        self.with(|slots| slots.others.push(slot));
        Ok(Some(shown))
    }

    fn with<T>(&self, then: impl FnOnce(&mut Slots) -> T) -> T {
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads settings anew by `load` at each SIGUSR1.
    pub(crate) fn on_signal(
        &self,
        load: impl Fn() -> Result<ServerSettings, Failure> + Send + 'static,
    ) -> std::io::Result<()> {
        let reloading = self.clone();
        on_signal(load, move |fresh: &ServerSettings| {
            let keys = Other::Keys(fresh.key_manager.clone());
            let upstream = fresh.upstream_authority.clone().map(Other::Upstream);
            let others: Vec<Other> = std::iter::once(keys).chain(upstream).collect();
            reloading.with(|slots| {
                slots.attestors.iter_mut().for_each(|slot| slot.renew(&fresh.node_attestors));
                slots.others.iter_mut().for_each(|slot| slot.renew(&others));
            });
        })
    }
}

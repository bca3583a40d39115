//! How an agent is doing, for health checks.

use std::sync::{Arc, OnceLock};

use spiffe_tls::{BundleHandle, IdentitySource};
use tokio::sync::watch;

/// Stages of an agent's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Stage {
    /// It has not proved its node yet.
    #[default]
    Attesting,
    /// It waits for the server to say what its node may have.
    Syncing,
    /// The Workload API is served.
    Serving,
    /// It stops.
    Stopping,
}

/// How an agent is doing. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct AgentStatus {
    stage: watch::Sender<Stage>,
    own: Arc<OnceLock<(Arc<IdentitySource>, BundleHandle)>>,
}

impl AgentStatus {
    /// Where it stands.
    pub fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// Whether workloads are answered.
    pub fn is_serving(&self) -> bool {
        self.stage() == Stage::Serving
    }

    /// The agent's own X.509-SVID with its key and the bundles it holds, for other listeners of the same process; none
    /// before it has attested.
    pub fn own(&self) -> Option<&(Arc<IdentitySource>, BundleHandle)> {
        self.own.get()
    }

    /// Follows the stages.
    pub fn watch(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    pub(crate) fn enter(&self, stage: Stage) {
        self.stage.send_replace(stage);
    }

    pub(crate) fn identified(&self, identity: Arc<IdentitySource>, bundles: BundleHandle) {
        // An agent attests once; later identities come by the same source.
        let _ = self.own.set((identity, bundles));
    }
}

//! How an agent is doing, for health checks.

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
pub struct AgentStatus(watch::Sender<Stage>);

impl AgentStatus {
    /// Where it stands.
    pub fn stage(&self) -> Stage {
        *self.0.borrow()
    }

    /// Whether workloads are answered.
    pub fn is_serving(&self) -> bool {
        self.stage() == Stage::Serving
    }

    /// Follows the stages.
    pub fn watch(&self) -> watch::Receiver<Stage> {
        self.0.subscribe()
    }

    pub(crate) fn enter(&self, stage: Stage) {
        self.0.send_replace(stage);
    }
}

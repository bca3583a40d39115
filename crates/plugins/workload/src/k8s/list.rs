//! The kubelet's list of pods, asked for once for all callers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::kubelet::{Fault, Kubelet, Loaded};
use super::pod::Pod;

/// How old a list may be in which a container is looked for first. This is how late a changed label is seen.
const FRESH: Duration = Duration::from_secs(5);

/// A list.
#[derive(Clone)]
pub(super) struct Listed {
    /// Counts the lists from 1 on.
    pub(super) version: u64,
    pods: Arc<Vec<Pod>>,
}

impl Listed {
    pub(super) fn pods(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter()
    }
}

/// The list, shared.
pub(super) struct Pods {
    kubelet: Kubelet,
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    loaded: Option<Loaded>,
    /// When the kubelet was asked last.
    asked: Option<Instant>,
    /// When it was asked for the list that is held.
    held: Option<(Instant, Listed)>,
    /// Why the last question failed, if it did.
    failed: Option<Arc<Fault>>,
}

impl Pods {
    /// Asked for no more often than once in `interval`.
    pub(super) fn new(kubelet: Kubelet, interval: Duration) -> Self {
        Self { kubelet, interval, state: Mutex::default() }
    }

    /// A list that is newer than the one of this version (0: than none), by one question for all who wait.
    pub(super) async fn newer_than(&self, version: u64) -> Result<Listed, Arc<Fault>> {
        let begun = Instant::now();
        let mut state = self.state.lock().await;
        if let Some((at, listed)) = &state.held
            && listed.version > version
            && at.elapsed() < FRESH.max(self.interval)
        {
            return Ok(listed.clone());
        }
        // whoever had the lock before asked, while this one waited for it
        if let (Some(asked), Some(failed)) = (state.asked, &state.failed)
            && asked >= begun
        {
            return Err(failed.clone());
        }
        if let Some(asked) = state.asked {
            sleep_until(asked + self.interval).await;
        }
        let now = Instant::now();
        state.asked = Some(now);
        match self.kubelet.pods(&mut state.loaded).await {
            Ok(pods) => {
                let version = state.held.as_ref().map_or(0, |(_, listed)| listed.version) + 1;
                let listed = Listed { version, pods: Arc::new(pods) };
                (state.held, state.failed) = (Some((now, listed.clone())), None);
                Ok(listed)
            }
            Err(fault) => {
                let fault = Arc::new(fault);
                tracing::warn!(subsystem_name = "k8s", error = %fault, "Unable to get pod list; will retry after backoff");
                state.failed = Some(fault.clone());
                Err(fault)
            }
        }
    }
}

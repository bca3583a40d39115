//! Workload attestation by the pod and the container in which a process runs.
//!
//! The kernel says which container, the kubelet of this node what pod it belongs to. Labels and annotations of a pod can
//! change while it runs, so the answer does not last; the kubelet's list of pods is shared by all callers, though.

mod kubelet;
mod list;
mod pod;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use model::Selectors;
use model::ports::{AttestError, Peer, WorkloadAttestor};

use crate::cgroup::Cgroups;
use crate::container::{self, Place};
use crate::selectors;
pub use kubelet::{Credentials, Kubelet, Transport};
use list::{Listed, Pods};
pub use pod::{Pod, PodsError, parse};

const NAME: &str = "k8s";

/// The settings of the attestor, as SPIRE 1.16 names them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How the kubelet is asked.
    pub kubelet: Kubelet,
    /// How often the list of pods is asked for, at most, until a container is in it.
    pub max_poll_attempts: u32,
    /// How long is waited between two such questions.
    pub poll_retry_interval: Duration,
    /// Whether a pod whose container is not listed yet is good enough; no selectors of containers then.
    pub disable_container_selectors: bool,
    /// Whether to log what containers are looked for in.
    pub verbose_container_locator_logs: bool,
    /// The annotations of pods that become selectors. Not in SPIRE.
    pub pod_annotations: Vec<String>,
    /// Where the process file system is mounted.
    pub proc: PathBuf,
}

/// The attestor `k8s`.
pub struct K8s {
    settings: Settings,
    pods: Pods,
}

impl K8s {
    /// With these settings. The kubelet is not asked before a process in a container asks.
    pub fn new(settings: Settings) -> Self {
        let pods = Pods::new(settings.kubelet.clone(), settings.poll_retry_interval);
        Self { settings, pods }
    }

    fn place(&self, pid: i32) -> Result<Option<Place>, AttestError> {
        let failed = |why: &dyn std::fmt::Display| AttestError::Failed(why.to_string());
        let cgroups = Cgroups::of(&self.settings.proc, pid).map_err(|why| failed(&why))?;
        if self.settings.verbose_container_locator_logs {
            for (index, path) in cgroups.paths().enumerate() {
                tracing::debug!(subsystem_name = NAME, pid, index = index + 1, path, "PID cgroup enumerated");
            }
        }
        let place = match container::locate(&cgroups, true).map_err(|why| failed(&why))? {
            Some(place) => Some(place),
            None => container::own_container(&cgroups, true).map_err(|why| failed(&why))?,
        };
        // groups below a user's slice are of that user's making, and no kubelet runs pods there
        match place
            .as_ref()
            .and_then(|place| place.roots().find(|root| root.split('/').any(|it| it == "user.slice")))
        {
            Some(root) => Err(AttestError::Denied(format!(
                "control group {root} is named like a container's, and belongs to a user"
            ))),
            None => Ok(place),
        }
    }

    /// What the list says of the container; nothing if it is not in it (yet).
    fn find(&self, place: &Place, listed: &Listed) -> Result<Option<Vec<String>>, AttestError> {
        let mut found = None;
        let known = place.pod.is_some();
        for pod in listed.pods().filter(|pod| place.pod.as_ref().is_none_or(|uid| *uid == pod.uid())) {
            let values = match pod.container(&place.id) {
                Some(container) => {
                    let of_container =
                        (!self.settings.disable_container_selectors).then(|| container.selectors());
                    pod.selectors(&self.settings.pod_annotations)
                        .chain(of_container.into_iter().flatten())
                        .collect()
                }
                None if known && self.settings.disable_container_selectors => {
                    pod.selectors(&self.settings.pod_annotations).collect()
                }
                None => continue,
            };
            if found.replace(values).is_some() {
                return Err(AttestError::Failed(format!("two pods found with container {}", place.id)));
            }
        }
        Ok(found)
    }
}

#[async_trait]
impl WorkloadAttestor for K8s {
    fn name(&self) -> &'static str {
        NAME
    }

    fn lasting(&self) -> bool {
        false
    }

    fn patience(&self) -> Duration {
        self.settings.poll_retry_interval.saturating_mul(self.settings.max_poll_attempts) + kubelet::PATIENCE
    }

    async fn attest(&self, peer: &dyn Peer) -> Result<Selectors, AttestError> {
        let place = self.place(peer.pid())?;
        peer.check()?;
        let Some(place) = place else { return Ok(Selectors::default()) };
        let mut seen = 0;
        let mut last = format!("container {} is in no pod that the kubelet lists", place.id);
        for _ in 0..self.settings.max_poll_attempts.max(1) {
            match self.pods.newer_than(seen).await {
                Ok(listed) => {
                    if let Some(values) = self.find(&place, &listed)? {
                        peer.check()?;
                        return selectors(NAME, values);
                    }
                    seen = listed.version;
                }
                Err(why) => last = why.to_string(),
            }
            // a process that ended waits for nothing
            peer.check()?;
        }
        Err(AttestError::Failed(last))
    }
}

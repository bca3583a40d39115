//! Finds out about workloads by whoever runs them: container engines, Kubernetes, systemd, Slurm.
//!
//! The kernel says in which control groups a process lies; who runs it put it there, and is asked what it runs.

pub mod cgroup;
pub mod container;
pub mod docker;
mod exchange;
pub mod k8s;
pub mod slurm;
pub mod systemd;

use model::ports::AttestError;
use model::{Selector, Selectors};

/// Selectors of one attestor.
fn selectors(kind: &str, values: impl IntoIterator<Item = String>) -> Result<Selectors, AttestError> {
    let found: Result<Selectors, _> =
        values.into_iter().map(|value| Selector::new(kind, &value)).collect::<Result<_, _>>();
    found.map_err(|fault| AttestError::Failed(format!("what was found cannot be a selector: {fault}")))
}

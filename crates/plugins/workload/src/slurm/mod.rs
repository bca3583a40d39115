//! Workload attestation by the job and the step of Slurm that a process belongs to.
//!
//! Slurm's cgroup/v2 plugin makes `/system.slice/[<node>_]slurmstepd.scope/<job>/step_<step>/…`, where the job is
//! `job_<number>`, or Slurm's own id where it is not told to use numbers. The path is looked for at the root alone: what
//! lies below a user's slice can be made by that user.

mod step;

use std::path::PathBuf;

use async_trait::async_trait;
use model::Selectors;
use model::ports::{AttestError, Peer, WorkloadAttestor};

use crate::cgroup::Cgroups;
use crate::selectors;
pub use step::{Job, Step, TwoSteps, step};

const NAME: &str = "slurm";

/// The attestor `slurm`.
pub struct Slurm {
    proc: PathBuf,
}

impl Slurm {
    /// With the process file system mounted at `proc`.
    pub fn new(proc: PathBuf) -> Self {
        Self { proc }
    }
}

#[async_trait]
impl WorkloadAttestor for Slurm {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn attest(&self, peer: &dyn Peer) -> Result<Selectors, AttestError> {
        let cgroups =
            Cgroups::of(&self.proc, peer.pid()).map_err(|why| AttestError::Failed(why.to_string()))?;
        peer.check()?;
        let step = step(&cgroups).map_err(|why| AttestError::Failed(why.to_string()))?;
        selectors(
            NAME,
            step.into_iter().flat_map(|step| [step.job.selector(), format!("step:{}", step.name)]),
        )
    }
}

//! Who calls: a process, pinned when it connected and looked at for each call.

use std::sync::Arc;

use futures_util::future::join_all;
use model::ports::{AttestError, Peer, WorkloadAttestor};
use model::{Selector, Selectors};
use tonic::Code;

use crate::metrics::{SELECTORS, WORKLOAD_ATTESTATION, WORKLOAD_ATTESTOR};

/// A process that called.
#[derive(Clone)]
pub(crate) struct Caller(pub(crate) Arc<dyn Peer>);

impl Caller {
    pub(crate) fn pid(&self) -> i32 {
        self.0.pid()
    }

    /// Whether this is the agent itself, which asks for its own health and would fill the log.
    pub(crate) fn is_agent(&self) -> bool {
        u32::try_from(self.pid()) == Ok(std::process::id())
    }
}

/// Finds out about callers.
pub(crate) struct Attestation {
    attestors: Vec<Arc<dyn WorkloadAttestor>>,
}

impl Attestation {
    pub(crate) fn new(attestors: Vec<Arc<dyn WorkloadAttestor>>) -> Self {
        Self { attestors }
    }

    /// What all attestors together say of a caller, who must be there before and after. What some could not find out is
    /// left out; if none could find out anything, that is an error (SPIRE 1.16).
    pub(crate) async fn attest(&self, caller: &Caller) -> Result<Selectors, AttestError> {
        let call = WORKLOAD_ATTESTATION.start(&[]);
        let found = self.attest_now(caller).await;
        call.with(&found, code);
        if let Ok(selectors) = &found {
            SELECTORS.count(selectors.iter().count(), &[]);
        }
        found
    }

    async fn attest_now(&self, caller: &Caller) -> Result<Selectors, AttestError> {
        caller.0.check()?;
        let answers = join_all(self.attestors.iter().map(|one| self.ask(one.as_ref(), caller))).await;
        caller.0.check()?;
        let mut last = None;
        let mut answered = self.attestors.is_empty();
        let mut found: Vec<Selector> = Vec::new();
        for answer in answers {
            match answer {
                Ok(selectors) => {
                    answered = true;
                    found.extend(selectors.iter().cloned());
                }
                Err(error) => last = Some(error),
            }
        }
        match last {
            Some(error) if !answered => Err(error),
            _ => {
                let selectors: Selectors = found.into_iter().collect();
                if !caller.is_agent() {
                    tracing::debug!(subsystem_name = "workload_attestor", pid = caller.pid(), selectors = %kit::log::list(selectors.iter()), "PID attested to have selectors");
                }
                Ok(selectors)
            }
        }
    }

    async fn ask(&self, attestor: &dyn WorkloadAttestor, caller: &Caller) -> Result<Selectors, AttestError> {
        let call = WORKLOAD_ATTESTOR.start(&[attestor.name()]);
        let answer = attestor.attest(caller.0.as_ref()).await;
        call.with(&answer, code);
        answer.inspect_err(|error| {
            tracing::error!(
                subsystem_name = "workload_attestor",
                pid = caller.pid(),
                error = %error,
                "workload attestor \"{}\" failed",
                attestor.name()
            );
        })
    }
}

fn code(error: &AttestError) -> Code {
    match error {
        AttestError::Invalid(_) => Code::InvalidArgument,
        AttestError::Denied(_) => Code::PermissionDenied,
        AttestError::Failed(_) => Code::Internal,
        AttestError::BrokenOff(_) => Code::Unavailable,
    }
}

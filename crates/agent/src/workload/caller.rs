//! Who calls: a process, pinned when it connected and looked at for each call.

use std::ops::Deref;
use std::sync::Arc;

use futures_util::future::join_all;
use model::ports::{AttestError, Peer, Print, WorkloadAttestor};
use model::{Selector, Selectors};
use tonic::Code;
use tracing::Instrument as _;
use tracing::field::Empty;

use super::known::{Answers, Known, Memory};
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

/// What was found out about a caller.
#[derive(Clone, Debug)]
pub(crate) struct Attested {
    /// What is known of it.
    pub(crate) selectors: Selectors,
    /// The attestors that failed, whose selectors are missing.
    pub(crate) failed: Vec<&'static str>,
}

impl Deref for Attested {
    type Target = Selectors;
    fn deref(&self) -> &Selectors {
        &self.selectors
    }
}

/// Why a caller got no answer.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub(crate) struct Unknown {
    /// What the last attestor said, or what is wrong with the process.
    #[source]
    pub(crate) cause: AttestError,
    /// The attestors that failed.
    pub(crate) failed: Vec<&'static str>,
}

impl From<AttestError> for Unknown {
    fn from(cause: AttestError) -> Self {
        Self { cause, failed: Vec::new() }
    }
}

/// Finds out about callers: by all attestors side by side, once for each program that a process runs.
pub(crate) struct Attestation {
    attestors: Vec<Arc<dyn WorkloadAttestor>>,
    known: Known,
}

impl Attestation {
    pub(crate) fn new(attestors: Vec<Arc<dyn WorkloadAttestor>>) -> Self {
        Self { attestors, known: Known::default() }
    }

    /// What all attestors together say of a caller, who must be there before and after. What some could not find out is
    /// left out; if none could find out anything, that is an error (SPIRE 1.16).
    pub(crate) async fn attest(&self, caller: &Caller) -> Result<Attested, Unknown> {
        let call = WORKLOAD_ATTESTATION.start(&[]);
        let span = kit::traced!("workload.attest", pid = caller.pid(), selectors = Empty, error = Empty);
        let found = self.attest_now(caller).instrument(span.clone()).await;
        call.with(&found, |unknown: &Unknown| code(&unknown.cause));
        match &found {
            Ok(found) => span.record("selectors", found.len()),
            Err(unknown) => span.record("error", unknown.cause.to_string()),
        };
        if let Ok(found) = &found {
            SELECTORS.count(found.len(), &[]);
        }
        found
    }

    async fn attest_now(&self, caller: &Caller) -> Result<Attested, Unknown> {
        caller.0.check()?;
        let print = caller.0.print();
        let memory =
            print.as_ref().map_or(Memory::Nothing, |print| self.known.recall(caller.0.as_ref(), print));
        let remembered = match memory {
            Memory::Whole(selectors) => {
                caller.0.check()?;
                return Ok(Attested { selectors, failed: Vec::new() });
            }
            Memory::Part(answers) => answers,
            Memory::Nothing => Vec::new(),
        };
        let asked = self.attestors.iter().enumerate().map(|(at, one)| {
            let kept = remembered.get(at).cloned().flatten();
            async { Answer { kept: kept.is_some(), found: self.answer(one.as_ref(), caller, kept).await } }
        });
        let answers = join_all(asked).await;
        caller.0.check()?;
        // what was read while the process turned into another is not kept
        if let Some(print) = print.filter(|print| caller.0.print().as_ref() == Some(print)) {
            self.remember(caller, print, &answers);
        }
        self.sum_up(caller, answers)
    }

    /// What an attestor is known to have said, or says now.
    async fn answer(
        &self,
        attestor: &dyn WorkloadAttestor,
        caller: &Caller,
        kept: Option<Selectors>,
    ) -> Result<Selectors, AttestError> {
        match kept {
            Some(kept) => Ok(kept),
            None => self.ask(attestor, caller).await,
        }
    }

    fn remember(&self, caller: &Caller, print: Print, answers: &[Answer]) {
        let lasting = |(one, answer): (&Arc<dyn WorkloadAttestor>, &Answer)| {
            answer.found.as_ref().ok().filter(|_| one.lasting()).cloned()
        };
        let lasting: Answers = self.attestors.iter().zip(answers).map(lasting).collect();
        if lasting.iter().all(Option::is_none) || answers.iter().all(|answer| answer.kept) {
            return;
        }
        let all: Option<Vec<&Selectors>> = lasting.iter().map(Option::as_ref).collect();
        let whole = all.map(|all| all.into_iter().flatten().cloned().collect());
        self.known.keep(caller.0.clone(), print, lasting, whole);
    }

    fn sum_up(&self, caller: &Caller, answers: Vec<Answer>) -> Result<Attested, Unknown> {
        let mut last = None;
        let mut failed = Vec::new();
        let mut found: Vec<Selector> = Vec::new();
        for (attestor, answer) in self.attestors.iter().zip(answers) {
            match answer.found {
                Ok(selectors) => found.extend(selectors.iter().cloned()),
                Err(error) => {
                    failed.push(attestor.name());
                    last = Some(error);
                }
            }
        }
        match last {
            Some(cause) if failed.len() == self.attestors.len() => Err(Unknown { cause, failed }),
            _ => {
                let selectors: Selectors = found.into_iter().collect();
                if !caller.is_agent() {
                    tracing::debug!(subsystem_name = "workload_attestor", pid = caller.pid(), selectors = %kit::log::list(selectors.iter()), "PID attested to have selectors");
                }
                Ok(Attested { selectors, failed })
            }
        }
    }

    async fn ask(&self, attestor: &dyn WorkloadAttestor, caller: &Caller) -> Result<Selectors, AttestError> {
        let call = WORKLOAD_ATTESTOR.start(&[attestor.name()]);
        let patience = attestor.patience();
        let span = kit::traced!("workload.attestor", attestor = attestor.name());
        let asked = attestor.attest(caller.0.as_ref()).instrument(span);
        let answer = tokio::time::timeout(patience, asked).await;
        let late = || AttestError::BrokenOff(format!("no answer within {} seconds", patience.as_secs()));
        let answer = answer.unwrap_or_else(|_| Err(late()));
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

/// What one attestor said.
struct Answer {
    /// Earlier, and not now.
    kept: bool,
    found: Result<Selectors, AttestError>,
}

fn code(error: &AttestError) -> Code {
    match error {
        AttestError::Invalid(_) => Code::InvalidArgument,
        AttestError::Denied(_) => Code::PermissionDenied,
        AttestError::Failed(_) => Code::Internal,
        AttestError::BrokenOff(_) => Code::Unavailable,
    }
}

#[cfg(test)]
mod tests;

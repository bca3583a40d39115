use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::ports::{CallPolicy, CallQuestion, CallVerdict, PolicyError};
use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, Value};

use crate::samples::SAMPLES;

/// What is asked of the policy.
const QUERY: &str = "data.spire.result";
/// How long one answer may take.
const LIMIT: Duration = Duration::from_secs(1);
/// The most engines that wait to be used again.
const SPARE: usize = 32;

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
    /// The policy is not Rego of version 1.
    #[error("{} is no policy: {why}", path.display())]
    Rego {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        why: String,
    },
    /// The data are not a JSON object.
    #[error("{} does not hold the data of a policy: {why}", path.display())]
    Data {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The policy gives no proper answer to a usual call.
    #[error("the policy gives no proper answer to {sample}: {cause}")]
    Sample {
        /// The input.
        sample: &'static str,
        /// What came instead.
        #[source]
        cause: PolicyError,
    },
}

/// A loaded policy that has answered some usual calls.
pub struct Policy {
    prepared: Engine,
    /// Engines that have been asked before: each is asked one thing at a time.
    spare: Mutex<Vec<Engine>>,
}

impl Policy {
    /// Reads a policy (package `spire`) and its data, a JSON object, and asks it about some usual calls.
    ///
    /// # Errors
    /// When a file cannot be read, is not what it should be, or an answer lacks one of the five booleans.
    pub fn load(rego: &Path, data: Option<&Path>) -> Result<Self, LoadError> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|cause| LoadError::File { path: path.to_owned(), cause })
        };
        let mut engine = Engine::new();
        let wrong = |why: String| LoadError::Rego { path: rego.to_owned(), why };
        engine.add_policy(rego.display().to_string(), read(rego)?).map_err(|e| wrong(e.to_string()))?;
        if let Some(path) = data {
            let wrong = |why: String| LoadError::Data { path: path.to_owned(), why };
            engine.add_data_json(&read(path)?).map_err(|e| wrong(e.to_string()))?;
        }
        let every = NonZeroU32::MIN.saturating_add(255);
        engine.set_execution_timer_config(ExecutionTimerConfig { limit: LIMIT, check_interval: every });
        let policy = Self { prepared: engine, spare: Mutex::default() };
        for sample in SAMPLES {
            policy.ask(sample).map_err(|cause| LoadError::Sample { sample, cause })?;
        }
        Ok(policy)
    }

    fn ask(&self, input: &str) -> Result<CallVerdict, PolicyError> {
        let failed = |e: &dyn std::fmt::Display| PolicyError::Failed(e.to_string());
        let mut engine = self.take();
        engine.set_input(Value::from_json_str(input).map_err(|e| failed(&e))?);
        let answer = engine.eval_rule(QUERY.to_owned()).map_err(|e| failed(&e))?;
        self.put_back(engine);
        verdict(&answer)
    }

    fn take(&self) -> Engine {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| self.prepared.clone())
    }

    fn put_back(&self, engine: Engine) {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE {
            spare.push(engine);
        }
    }
}

/// All five must be there: what is missing might have been meant either way.
fn verdict(answer: &Value) -> Result<CallVerdict, PolicyError> {
    let object = answer.as_object().map_err(|_| PolicyError::NoResult)?;
    let flag = |name: &'static str| match object.get(&Value::from(name)) {
        Some(Value::Bool(flag)) => Ok(*flag),
        _ => Err(PolicyError::Missing(name)),
    };
    Ok(CallVerdict {
        allow: flag("allow")?,
        allow_if_admin: flag("allow_if_admin")?,
        allow_if_local: flag("allow_if_local")?,
        allow_if_downstream: flag("allow_if_downstream")?,
        allow_if_agent: flag("allow_if_agent")?,
    })
}

impl CallPolicy for Policy {
    fn judge(&self, question: &CallQuestion<'_>) -> Result<CallVerdict, PolicyError> {
        let request = question.request.cloned().unwrap_or(serde_json::Value::Null);
        let input = serde_json::json!({
            "caller": question.caller.map(ToString::to_string).unwrap_or_default(),
            "caller_file_path": question.caller_file_path.unwrap_or_default(),
            "full_method": question.full_method,
            "req": request,
        });
        self.ask(&input.to_string())
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

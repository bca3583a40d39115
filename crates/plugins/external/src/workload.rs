//! Processes that a plugin knows about.

use async_trait::async_trait;
use model::ports::{self, AttestError, Peer};
use model::{Selector, Selectors};
use proto::spire::plugin::agent::workloadattestor::v1::workload_attestor_client::WorkloadAttestorClient;
use proto::spire::plugin::agent::workloadattestor::v1::{AttestReferenceRequest, AttestRequest};
use tonic::{Code, Status};

use crate::call::{answer, said};
use crate::plugin::Plugin;

/// The most selectors of a process.
const MAX_SELECTORS: usize = 4096;
/// What a process is called for plugins that only take references.
const PID_REFERENCE: &str = "type.googleapis.com/spiffe.broker.WorkloadPIDReference";

/// A workload attestor in another process.
pub struct WorkloadAttestor(Plugin);

impl WorkloadAttestor {
    /// Processes as this plugin sees them.
    #[must_use]
    pub fn new(plugin: Plugin) -> Self {
        Self(plugin)
    }

    async fn values(&self, pid: i32) -> Result<Vec<String>, Status> {
        let mut client = WorkloadAttestorClient::new(self.0.channel());
        match answer(&self.0, client.attest(AttestRequest { pid })).await {
            Err(status) if status.code() == Code::Unimplemented => {
                let value = pid_reference(pid);
                let reference = Some(prost_types::Any { type_url: PID_REFERENCE.to_owned(), value });
                let asked = client.attest_reference(AttestReferenceRequest { reference });
                answer(&self.0, asked).await.map(|answer| answer.selector_values)
            }
            done => done.map(|answer| answer.selector_values),
        }
    }
}

/// `WorkloadPIDReference { pid = 1 }`: a tag for field 1 as a varint, then the number.
fn pid_reference(pid: i32) -> Vec<u8> {
    let mut bytes = vec![0x08];
    let mut left = u32::try_from(pid).unwrap_or_default();
    while left >= 0x80 {
        bytes.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
    bytes
}

#[async_trait]
impl ports::WorkloadAttestor for WorkloadAttestor {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    /// What a program goes by is its own affair.
    fn lasting(&self) -> bool {
        false
    }

    async fn attest(&self, peer: &dyn Peer) -> Result<Selectors, AttestError> {
        let values = self.values(peer.pid()).await.map_err(|status| {
            let why = said(&self.0, &status).to_owned();
            match status.code() {
                Code::InvalidArgument => AttestError::Invalid(why),
                Code::PermissionDenied => AttestError::Denied(why),
                _ => AttestError::Failed(why),
            }
        })?;
        if values.len() > MAX_SELECTORS {
            return Err(AttestError::Failed(format!(
                "plugin response has more than {MAX_SELECTORS} selectors"
            )));
        }
        let selectors = values.iter().map(|value| Selector::new(self.0.name(), value));
        let unusable =
            |error| AttestError::Failed(format!("plugin response has an unusable selector: {error}"));
        selectors.collect::<Result<Selectors, _>>().map_err(unusable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_is_a_varint() {
        assert_eq!(pid_reference(1), [0x08, 1]);
        assert_eq!(pid_reference(300), [0x08, 0xac, 0x02]);
        assert_eq!(pid_reference(4_194_304), [0x08, 0x80, 0x80, 0x80, 0x02]);
    }
}

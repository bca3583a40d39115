//! Writes to attested nodes.

use std::sync::Arc;

use model::{Agent, Expect, Footprint, RowKey, WriteFault};
use spiffe::SpiffeId;

use super::Ledger;

impl Ledger {
    pub(super) fn put_agent(&mut self, mut agent: Agent, expect: Expect) -> Result<(), WriteFault> {
        let old = self.agents.get(&agent.id).cloned();
        expected("agent", expect, old.as_ref().map(|old| old.revision.unsigned_abs()))?;
        match &old {
            Some(old) => {
                agent.ord = old.ord;
                agent.revision = old.revision.saturating_add(1);
            }
            None => agent.ord = self.next(),
        }
        let (id, is) = (agent.id.clone(), footprint(&agent));
        self.agents.set(id.clone(), Some(Arc::new(agent)));
        self.step(RowKey::Agent(id), old.as_deref().map(footprint), Some(is));
        Ok(())
    }

    pub(super) fn delete_agent(&mut self, id: &SpiffeId) -> Result<(), WriteFault> {
        let Some(old) = self.agents.get(id).cloned() else { return Err(WriteFault::NotFound("agent")) };
        self.agents.set(id.clone(), None);
        self.step(RowKey::Agent(id.clone()), Some(footprint(&old)), None);
        Ok(())
    }
}

/// Whether the row that is there, by its revision, is the one that the writer expects.
pub(super) fn expected(what: &'static str, expect: Expect, there: Option<u64>) -> Result<(), WriteFault> {
    match (expect, there) {
        (Expect::Any, _) | (Expect::Absent, None) => Ok(()),
        (Expect::Absent, Some(_)) => Err(WriteFault::Exists(what)),
        (Expect::Revision(_), None) => Err(WriteFault::NotFound(what)),
        (Expect::Revision(wanted), Some(found)) if wanted == found => Ok(()),
        (Expect::Revision(_), Some(_)) => Err(WriteFault::Conflict(what)),
    }
}

fn footprint(agent: &Agent) -> Footprint {
    Footprint { spiffe_id: Some(agent.id.clone()), parent_id: None, selectors: agent.selectors.clone() }
}

//! Writes to federation relationships.

use std::sync::Arc;

use model::{Expect, Footprint, Relationship, RowKey, WriteFault};
use spiffe::TrustDomain;

use super::Ledger;
use super::agents::expected;

impl Ledger {
    pub(super) fn put_relationship(
        &mut self,
        mut new: Relationship,
        expect: Expect,
    ) -> Result<(), WriteFault> {
        let old = self.relationships.get(&new.trust_domain).cloned();
        expected("federation relationship", expect, old.as_ref().map(|old| old.revision.unsigned_abs()))?;
        match &old {
            Some(old) => {
                new.ord = old.ord;
                new.revision = old.revision.saturating_add(1);
            }
            None => new.ord = self.next(),
        }
        let td = new.trust_domain.clone();
        self.relationships.set(td.clone(), Some(Arc::new(new)));
        let was = old.map(|_| Footprint::default());
        self.step(RowKey::Relationship(td), was, Some(Footprint::default()));
        Ok(())
    }

    pub(super) fn delete_relationship(&mut self, td: TrustDomain) -> Result<(), WriteFault> {
        if !self.relationships.has(&td) {
            return Err(WriteFault::NotFound("federation relationship"));
        }
        self.relationships.set(td.clone(), None);
        self.step(RowKey::Relationship(td), Some(Footprint::default()), None);
        Ok(())
    }
}

//! Writes to bundles.

use std::sync::Arc;

use model::{DissociateMode, Expect, Footprint, RowKey, WriteFault};
use spiffe::TrustDomain;
use spiffe::bundle::Bundle;

use super::Ledger;
use super::agents::expected;

impl Ledger {
    pub(super) fn put_bundle(&mut self, bundle: Bundle, expect: Expect) -> Result<(), WriteFault> {
        let td = bundle.trust_domain().clone();
        let old = self.bundles.get(&td).map(|old| old.sequence);
        expected("bundle", expect, old)?;
        self.bundles.set(td.clone(), Some(Arc::new(bundle)));
        self.step(RowKey::Bundle(td), old.map(|_| Footprint::default()), Some(Footprint::default()));
        Ok(())
    }

    pub(super) fn delete_bundle(&mut self, td: TrustDomain, mode: DissociateMode) -> Result<(), WriteFault> {
        if !self.bundles.has(&td) {
            return Err(WriteFault::NotFound("bundle"));
        }
        let entries = self.federating(&td);
        match mode {
            DissociateMode::Restrict if !entries.is_empty() => {
                return Err(WriteFault::BundleInUse(entries.len() as u64));
            }
            DissociateMode::Restrict => {}
            DissociateMode::Delete => entries.iter().try_for_each(|entry| self.delete_entry(&entry.id))?,
            DissociateMode::Dissociate => entries.iter().for_each(|entry| self.dissociate(entry, &td)),
        }
        self.bundles.set(td.clone(), None);
        self.step(RowKey::Bundle(td), Some(Footprint::default()), None);
        Ok(())
    }
}

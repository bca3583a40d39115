//! What must be read before a batch can be judged.

use std::collections::BTreeSet;

use model::{Entry, EntryId, UnixTime, Write};
use spiffe::{SpiffeId, TrustDomain};

use crate::code::{Hash, likeness, token_hash};

/// Names of the rows that a batch is about.
#[derive(Default)]
pub(crate) struct Needs {
    pub(crate) entries: BTreeSet<EntryId>,
    pub(crate) likenesses: BTreeSet<Hash>,
    pub(crate) agents: BTreeSet<SpiffeId>,
    pub(crate) bundles: BTreeSet<TrustDomain>,
    /// All entries that federate with one of these.
    pub(crate) federating: BTreeSet<TrustDomain>,
    pub(crate) tokens: BTreeSet<Hash>,
    /// All tokens that end before this moment.
    pub(crate) expired: Option<UnixTime>,
    pub(crate) journals: BTreeSet<String>,
    pub(crate) relationships: BTreeSet<TrustDomain>,
}

impl Needs {
    pub(crate) fn of(writes: &[Write]) -> Self {
        let mut needs = Self::default();
        writes.iter().for_each(|write| needs.add(write));
        needs
    }

    fn add(&mut self, write: &Write) {
        match write {
            Write::CreateEntry(entry) | Write::UpdateEntry { entry, .. } => self.add_entry(entry),
            Write::DeleteEntry(id) => _ = self.entries.insert(id.clone()),
            Write::PutAgent { agent, .. } => _ = self.agents.insert(agent.id.clone()),
            Write::DeleteAgent(id) => _ = self.agents.insert(id.clone()),
            Write::PutBundle { bundle, .. } => _ = self.bundles.insert(bundle.trust_domain().clone()),
            Write::DeleteBundle { trust_domain, .. } => {
                self.bundles.insert(trust_domain.clone());
                self.federating.insert(trust_domain.clone());
            }
            Write::CreateToken(token) => _ = self.tokens.insert(token_hash(&token.value)),
            Write::SpendToken { value, .. } => _ = self.tokens.insert(token_hash(value)),
            Write::SweepTokens(now) => self.expired = self.expired.max(Some(*now)),
            Write::PutJournal(journal) => _ = self.journals.insert(journal.id.clone()),
            Write::DeleteJournal(id) => _ = self.journals.insert(id.clone()),
            Write::PutRelationship { relationship, .. } => {
                self.relationships.insert(relationship.trust_domain.clone());
            }
            Write::DeleteRelationship(td) => _ = self.relationships.insert(td.clone()),
            Write::All(writes) => writes.iter().for_each(|write| self.add(write)),
        }
    }

    fn add_entry(&mut self, entry: &Entry) {
        self.entries.insert(entry.id.clone());
        self.likenesses.insert(likeness(entry));
        self.bundles.extend(entry.federates_with.iter().cloned());
    }
}

//! What goes with an agent that is removed.

use model::{Entry, Snapshot, Write};
use spiffe::SpiffeId;

/// Removes an agent and, with one that came by join token, the alias entries that were made with tokens for it (SPIRE
/// 1.16).
pub(crate) struct Removal {
    agent: SpiffeId,
    aliases: Vec<Entry>,
}

impl Removal {
    /// Of this agent, as things stand.
    pub(crate) fn of(snapshot: &Snapshot, id: &SpiffeId) -> Self {
        let by_token = snapshot.agent(id).is_some_and(|agent| agent.attestation_type == "join_token");
        let aliases = snapshot.entries_under(id).filter(|entry| by_token && is_own_alias(entry, id));
        Self { agent: id.clone(), aliases: aliases.map(|entry| Entry::clone(entry)).collect() }
    }

    /// The write: all of it is done, or none.
    pub(crate) fn write(&self) -> Write {
        let entries = self.aliases.iter().map(|entry| Write::DeleteEntry(entry.id.clone()));
        Write::All(std::iter::once(Write::DeleteAgent(self.agent.clone())).chain(entries).collect())
    }

    /// Logs what went along, once it is done.
    pub(crate) fn tell(&self) {
        for entry in &self.aliases {
            let (spiffe_id, parent_id, registration_id) = (&entry.spiffe_id, &entry.parent_id, &entry.id);
            tracing::info!(%spiffe_id, %parent_id, %registration_id, "Cascade-deleted registration entry on attested node deletion");
        }
    }
}

/// Whether it is of the form that `token generate -spiffeID` makes: the node's own ID is its only selector.
fn is_own_alias(entry: &Entry, id: &SpiffeId) -> bool {
    let mut selectors = entry.selectors.iter();
    let only = (selectors.next(), selectors.next());
    matches!(only, (Some(one), None) if one.kind() == "spiffe_id" && one.value() == id.as_str())
}

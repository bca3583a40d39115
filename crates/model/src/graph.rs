//! Which agent may use which entry.
//!
//! An agent reaches the entries under its own ID, the entries under the IDs of the node aliases that its selectors
//! satisfy, and, from each entry reached, the entries under that entry's SPIFFE ID (SPIRE 1.16). Downwards the
//! question is what an agent reaches; upwards, whom an entry concerns. Both cost what they answer, not the world.

use std::collections::HashSet;
use std::sync::Arc;

use spiffe::SpiffeId;

use crate::{Agent, Entry, EntryId, Selectors, Snapshot};

/// The path of the server's own SPIFFE ID: the parent of node aliases.
pub const SERVER_PATH: &str = "/spire/server";

/// All entries that `agent` may use, each once.
pub fn authorized_entries(snapshot: &Snapshot, agent: &Agent) -> Vec<Arc<Entry>> {
    let mut found = Vec::new();
    each_authorized(snapshot, agent, |entry| found.push(entry.clone()));
    found
}

/// Shows `found` each entry that `agent` may use, once.
pub fn each_authorized<'a>(snapshot: &'a Snapshot, agent: &'a Agent, mut found: impl FnMut(&'a Arc<Entry>)) {
    let mut seen = HashSet::new();
    let mut next = vec![&agent.id];
    next.extend(alias_ids(snapshot, &agent.selectors));
    while let Some(parent) = next.pop() {
        if is_server(parent) {
            continue;
        }
        // Most entries have none under them, and need not be remembered.
        let mut under = snapshot.entries_under(parent).peekable();
        if under.peek().is_none() || !seen.insert(parent) {
            continue;
        }
        for entry in under {
            found(entry);
            next.push(&entry.spiffe_id);
        }
    }
    // An entry has one parent and each parent is visited once, so nothing is found twice.
}

/// Whether `agent` may use `entry`: the question asked before anything is signed.
pub fn may_use(snapshot: &Snapshot, agent: &Agent, entry: &Entry) -> bool {
    let mut seen = HashSet::new();
    let mut next = vec![entry.parent_id.clone()];
    while let Some(id) = next.pop() {
        if is_server(&id) || !seen.insert(id.clone()) {
            continue;
        }
        if id == agent.id {
            return true;
        }
        for above in snapshot.entries_of(&id) {
            if above.is_alias() {
                if !above.selectors.is_empty() && above.selectors.is_subset(&agent.selectors) {
                    return true;
                }
            } else {
                next.push(above.parent_id.clone());
            }
        }
    }
    false
}

/// The agents that may use an entry under `parent`.
pub fn agents_reaching(snapshot: &Snapshot, parent: &SpiffeId) -> HashSet<SpiffeId> {
    let mut agents = HashSet::new();
    let mut seen = HashSet::new();
    let mut next = vec![parent.clone()];
    while let Some(id) = next.pop() {
        if is_server(&id) || !seen.insert(id.clone()) {
            continue;
        }
        if snapshot.agent(&id).is_some() {
            agents.insert(id.clone());
        }
        for above in snapshot.entries_of(&id) {
            if above.is_alias() {
                agents.extend(agents_with_all(snapshot, &above.selectors));
            } else {
                next.push(above.parent_id.clone());
            }
        }
    }
    agents
}

/// The agents that an entry concerns: those that may use it, or, for a node alias, those that it names.
pub fn concerned(snapshot: &Snapshot, entry: &Entry) -> HashSet<SpiffeId> {
    match entry.is_alias() {
        true => agents_with_all(snapshot, &entry.selectors).into_iter().collect(),
        false => agents_reaching(snapshot, &entry.parent_id),
    }
}

/// The ids of all entries below `id`: what comes or goes with an entry that gives this identity.
pub fn below(snapshot: &Snapshot, id: &SpiffeId) -> Vec<EntryId> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut next = vec![id.clone()];
    while let Some(parent) = next.pop() {
        if is_server(&parent) || !seen.insert(parent.clone()) {
            continue;
        }
        for entry in snapshot.entries_under(&parent) {
            found.push(entry.id.clone());
            next.push(entry.spiffe_id.clone());
        }
    }
    found
}

/// Whether this is the server's own ID. Under it stand node aliases alone, which are reached by selectors and never
/// step by step.
fn is_server(id: &SpiffeId) -> bool {
    id.path() == SERVER_PATH
}

/// The identities that a node with these selectors takes on by alias.
fn alias_ids<'a>(snapshot: &'a Snapshot, node: &Selectors) -> Vec<&'a SpiffeId> {
    let mut seen = HashSet::new();
    let mut ids = Vec::new();
    for selector in node {
        for alias in snapshot.aliases_with(selector) {
            if seen.insert(alias.ord) && alias.selectors.is_subset(node) {
                ids.push(&alias.spiffe_id);
            }
        }
    }
    ids
}

/// The agents that have all of these selectors, found through the rarest one.
fn agents_with_all(snapshot: &Snapshot, wanted: &Selectors) -> Vec<SpiffeId> {
    let Some(rarest) = wanted.iter().min_by_key(|one| snapshot.agents_with_count(one)) else {
        return Vec::new();
    };
    snapshot.agents_with(rarest).filter(|a| wanted.is_subset(&a.selectors)).map(|a| a.id.clone()).collect()
}

//! Whether a returning agent can be told differences, or needs everything.

use std::collections::HashSet;

use model::{Agent, Change, Cursor, EntryId, Footprint, RowKey, Snapshot, graph};
use spiffe::{SpiffeId, TrustDomain};

/// More changes than this are not sifted: a snapshot costs no more.
pub(super) const LIMIT: usize = 2000;

/// What a returning agent may have missed.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Missed {
    pub(super) entries: HashSet<EntryId>,
    pub(super) bundles: HashSet<TrustDomain>,
    /// Entries that are gone or moved away and that the agent may hold.
    pub(super) lost: HashSet<EntryId>,
}

/// Sifts the changes after the agent's cursor. `None` where they cannot be judged one by one: a node alias, the
/// agent's own selectors, or an identity with entries below it came, went or moved.
pub(super) fn missed(snapshot: &Snapshot, agent: &Agent, changes: &[Change]) -> Option<Missed> {
    let mut missed = Missed::default();
    for change in changes {
        match &change.key {
            RowKey::Entry(id) => {
                if !stays_in_place(snapshot, change.was.as_ref(), change.is.as_ref()) {
                    return None;
                }
                missed.entries.insert(id.clone());
                let parents =
                    [&change.was, &change.is].into_iter().flatten().filter_map(|f| f.parent_id.as_ref());
                if parents.into_iter().any(|parent| reaches(snapshot, agent, parent)) {
                    missed.lost.insert(id.clone());
                }
            }
            RowKey::Agent(id) if *id == agent.id => {
                let selectors = |f: &Option<Footprint>| f.as_ref().map(|f| f.selectors.clone());
                if selectors(&change.was) != selectors(&change.is) {
                    return None;
                }
            }
            RowKey::Bundle(td) => {
                missed.bundles.insert(td.clone());
            }
            RowKey::Agent(_) | RowKey::Token | RowKey::Journal(_) | RowKey::Relationship(_) => {}
        }
    }
    missed.lost.retain(|id| snapshot.entry(id).is_none_or(|e| !graph::may_use(snapshot, agent, e)));
    Some(missed)
}

/// Whether the change moves nothing but the entry itself.
fn stays_in_place(snapshot: &Snapshot, was: Option<&Footprint>, is: Option<&Footprint>) -> bool {
    let both = || [was, is].into_iter().flatten();
    let alias = both().any(|f| f.parent_id.as_ref().is_some_and(|p| p.path() == graph::SERVER_PATH));
    let moved = was.and_then(|f| f.spiffe_id.as_ref()) != is.and_then(|f| f.spiffe_id.as_ref())
        || was.and_then(|f| f.parent_id.as_ref()) != is.and_then(|f| f.parent_id.as_ref());
    let below =
        || both().filter_map(|f| f.spiffe_id.as_ref()).any(|id| snapshot.entries_under(id).next().is_some());
    !(alias || moved && below())
}

fn reaches(snapshot: &Snapshot, agent: &Agent, parent: &SpiffeId) -> bool {
    graph::agents_reaching(snapshot, parent).contains(&agent.id)
}

/// A cursor as it travels.
pub(super) fn wire_cursor(cursor: Cursor) -> proto::bonafide::feed::v1::Cursor {
    proto::bonafide::feed::v1::Cursor { number: cursor.number, tag: cursor.tag.to_be_bytes().to_vec() }
}

/// A cursor as it came; `None` when it is none of ours.
pub(super) fn cursor_of(wire: &proto::bonafide::feed::v1::Cursor) -> Option<Cursor> {
    let tag = u64::from_be_bytes(wire.tag.as_slice().try_into().ok()?);
    Some(Cursor { number: wire.number, tag })
}

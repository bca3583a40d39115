use std::sync::Arc;

use spiffe::bundle::Bundle;
use spiffe::{SpiffeId, TrustDomain};

use crate::{Agent, Entry, EntryId, Journal, Relationship, Selectors};

/// A place in the history: the number of a change and the random tag it got. A cursor holds only where the change of
/// that number has that tag; another tag means that the history forked (a restored backup, a lost fail-over).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct Cursor {
    /// How many changes there have been; 0 before the first.
    pub number: u64,
    /// The tag of the change with that number; 0 before the first.
    pub tag: u64,
}

/// What a row is called.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum RowKey {
    /// A registration entry.
    Entry(EntryId),
    /// An attested node.
    Agent(SpiffeId),
    /// A trust domain's bundle.
    Bundle(TrustDomain),
    /// A join token; its value is not told, since readers have no use for it.
    Token,
    /// A server's authorities.
    Journal(String),
    /// How a foreign trust domain's bundle is followed.
    Relationship(TrustDomain),
}

/// The state of a row.
#[derive(Clone, PartialEq, Debug)]
pub enum Row {
    /// A registration entry.
    Entry(Arc<Entry>),
    /// An attested node.
    Agent(Arc<Agent>),
    /// A trust domain's bundle.
    Bundle(Arc<Bundle>),
    /// A server's authorities.
    Journal(Arc<Journal>),
    /// How a foreign trust domain's bundle is followed.
    Relationship(Arc<Relationship>),
}

/// Just what a reader needs to know whom a change concerns, without the row. Empty for rows whose name says it all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Footprint {
    /// The entry's SPIFFE ID, or the agent's.
    pub spiffe_id: Option<SpiffeId>,
    /// The entry's parent.
    pub parent_id: Option<SpiffeId>,
    /// The entry's or the agent's selectors.
    pub selectors: Selectors,
}

/// One step of the ordered log.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its place: numbers follow each other without a gap.
    pub cursor: Cursor,
    /// What it changed.
    pub key: RowKey,
    /// What was there before, as far as readers need it; `None` when there was nothing.
    pub was: Option<Footprint>,
    /// What is there now, as far as readers need it; `None` when it was deleted.
    pub is: Option<Footprint>,
    /// The row as the change left it, or as it stands at reading time; `None` when it is gone, and for tokens.
    pub row: Option<Row>,
}

/// What a reader gets who asks for the changes after its cursor.
#[derive(Debug)]
pub enum Changes {
    /// The next ones, in order; empty when there is none.
    Next(Vec<Change>),
    /// They are no longer kept: the reader must load the tables anew.
    Compacted,
    /// The cursor is not of this history: the reader must load the tables anew, and the fork be reported.
    Forked,
}

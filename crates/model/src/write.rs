use spiffe::SpiffeId;
use spiffe::TrustDomain;
use spiffe::bundle::Bundle;

use crate::{Agent, DissociateMode, Entry, EntryId, JoinToken, Journal, Relationship, UnixTime};

/// What a writer believes about the row it is about to replace; another state is a [`WriteFault::Conflict`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// There is none yet.
    Absent,
    /// It is at this revision (entries, agents, relationships) or sequence number (bundles).
    Revision(u64),
    /// Whatever stands there.
    Any,
}

/// One thing to write. Each is done whole or not at all, inside a transaction that may carry many.
#[derive(Clone, Debug)]
pub enum Write {
    /// Adds an entry. The store sets `ord`. Refused when the id is taken, a similar entry stands there, or a federated
    /// bundle is missing.
    CreateEntry(Entry),
    /// Replaces an entry that is at revision `was`; the store adds one to the revision and keeps `ord` and
    /// `created_at`. Refused like a creation.
    UpdateEntry {
        /// The new state.
        entry: Entry,
        /// The revision it was computed from.
        was: i64,
    },
    /// Removes an entry.
    DeleteEntry(EntryId),
    /// Adds or replaces an agent; the store sets `ord` of a new one and adds one to the revision of an old one.
    PutAgent {
        /// The new state.
        agent: Agent,
        /// What is there now.
        expect: Expect,
    },
    /// Removes an agent.
    DeleteAgent(SpiffeId),
    /// Adds or replaces a bundle. Its sequence number is taken as it comes.
    PutBundle {
        /// The new state.
        bundle: Bundle,
        /// What is there now.
        expect: Expect,
    },
    /// Removes a bundle and, as `mode` says, frees or removes the entries that federate with it, each of them a change
    /// before that of the bundle.
    DeleteBundle {
        /// Whose bundle.
        trust_domain: TrustDomain,
        /// What becomes of entries that name it.
        mode: DissociateMode,
    },
    /// Adds a join token. Refused when the value is taken.
    CreateToken(JoinToken),
    /// Spends a join token: it is gone afterwards, even when it had expired and its spender was refused (which makes no
    /// change). Refused when there is none.
    SpendToken {
        /// The secret.
        value: zeroize::Zeroizing<String>,
        /// Tokens that end before this moment are gone without use; their spender is refused.
        now: UnixTime,
    },
    /// Removes join tokens that ended before this moment: one change if there were any, none otherwise.
    SweepTokens(UnixTime),
    /// Adds or replaces a server's authorities.
    PutJournal(Journal),
    /// Removes a server's authorities.
    DeleteJournal(String),
    /// Adds or replaces a federation relationship; the store sets `ord` of a new one and adds one to the revision of an
    /// old one.
    PutRelationship {
        /// The new state.
        relationship: Relationship,
        /// What is there now.
        expect: Expect,
    },
    /// Removes a federation relationship; the bundle stays.
    DeleteRelationship(TrustDomain),
    /// All of these or none; refused for the first reason met.
    All(Vec<Write>),
}

/// Why one write of a batch was refused. The others are not touched by it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WriteFault {
    /// A similar entry stands there (SPIRE answers it along with the refusal).
    #[error("similar entry already exists")]
    SimilarEntry(EntryId),
    /// The name is taken.
    #[error("{0} already exists")]
    Exists(&'static str),
    /// There is no such row.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The row changed since the write was computed: compute it again.
    #[error("{0} was changed by another writer meanwhile")]
    Conflict(&'static str),
    /// An entry federates with a trust domain whose bundle is not stored.
    #[error("unable to find federated bundle \"{0}\"")]
    NoBundle(TrustDomain),
    /// Entries still federate with a trust domain whose bundle was to be deleted.
    #[error("cannot delete bundle; federated with {0} registration entries")]
    BundleInUse(u64),
    /// The join token had expired; it is gone now.
    #[error("join token expired")]
    TokenExpired,
}

//! The vocabulary of Bonafide: what a trust domain knows, how it changes, and the ports through which engines reach
//! the world.
//!
//! Pure data and pure rules: no I/O, no clock, no task. [`Snapshot`] is the registry as readers see it, moved from
//! number to number by [`Change`]s; [`ports`] are the traits that adapters fill.

mod agent;
mod attested;
mod bundle_mode;
mod change;
mod entry;
pub mod graph;
mod journal;
pub mod ports;
mod relationship;
mod selector;
mod snapshot;
mod time;
mod token;
mod write;

pub use agent::Agent;
pub use attested::Attested;
pub use bundle_mode::DissociateMode;
pub use change::{Change, Changes, Cursor, Footprint, Row, RowKey};
pub use entry::{AdditionalAttributes, Entry, EntryDraft, EntryFault, EntryId};
pub use journal::Journal;
pub use relationship::Relationship;
pub use selector::{Match, Selector, SelectorError, Selectors};
pub use snapshot::{ApplyError, Snapshot};
pub use time::UnixTime;
pub use token::JoinToken;
pub use write::{Expect, Write, WriteFault};

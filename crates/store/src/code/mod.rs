//! Rows as bytes: what the tables hold in their `data` columns, and the footprints of changes.

mod agent;
mod bundle;
mod entry;
mod footprint;
mod likeness;
mod relationship;
mod selectors;
mod text;

pub(crate) use agent::{agent_bytes, agent_of};
pub(crate) use bundle::{bundle_bytes, bundle_of};
pub(crate) use entry::{EntryReader, entry_bytes};
pub(crate) use footprint::{footprint_bytes, footprint_of};
pub(crate) use likeness::{Hash, likeness, token_hash};
pub(crate) use relationship::{relationship_bytes, relationship_of};

/// Bytes that are not what this program wrote.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CodeError {
    /// Not a message at all.
    #[error("it does not decode: {0}")]
    Message(#[from] prost::DecodeError),
    /// A field holds what the registry never lets in.
    #[error("its {field} is wrong: {why}")]
    Field { field: &'static str, why: String },
}

impl CodeError {
    fn field(field: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Field { field, why: why.to_string() }
    }
}

#[cfg(test)]
mod tests;

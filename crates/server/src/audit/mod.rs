//! A record of every call in the log (`audit_log_enabled`): who asked for what, and what came of it. Names and fields
//! are SPIRE 1.16's; a batch has a record for each of its items, all with one `request_id`.
//!
//! The layer reads requests and responses as they pass, so no handler has to think of it.

mod details;
mod items;
mod layer;
mod tap;
#[cfg(test)]
mod tests;

pub(crate) use layer::{AuditLayer, Auditor};

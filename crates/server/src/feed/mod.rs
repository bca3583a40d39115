//! The feed: what concerns an agent's node, pushed to it as it changes, and acknowledged.
//!
//! State, not operations: for each stream the [`hub`] keeps the set of ids that changed since it last sent, and
//! [`stream`] sends their present state when there is room. A slow reader costs a set that cannot outgrow the agent's
//! own entries.

mod hub;
mod resume;
mod service;
mod stream;
mod view;

pub use hub::{Hub, Progress};
pub use service::FeedApi;

#[cfg(test)]
mod tests;

//! Who this node is: first trust, attestation, what is remembered, renewal.

mod attest;
mod bootstrap;
mod fetch;
mod identity;
mod keeper;
mod keys;
mod refusal;
mod start;
mod state;
#[cfg(test)]
mod tests;

pub use bootstrap::BootstrapError;
pub use fetch::FetchError;
pub use state::StateError;

pub(crate) use keeper::{Keeper, Trouble, Troubles};
pub(crate) use refusal::Refusal;
pub(crate) use start::{Node, start};
pub(crate) use state::AgentState;

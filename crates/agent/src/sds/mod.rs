//! Envoy's discovery of secrets (SDS v3): keys, certificates and authorities for proxies, by the names and in the words of
//! SPIRE 1.16. By differences too, which SPIRE does not offer.
//!
//! What a request gets is chosen ([`select`]) as references to what the cache holds, so that an answer which says nothing
//! new is known without being made, and is encoded ([`encode`]) when it is sent.

mod api;
mod asked;
mod choice;
mod delta;
mod encode;
mod fetch;
mod names;
mod node;
mod select;
mod stream;
#[cfg(test)]
mod tests;
mod verdict;
mod watch;

pub(crate) use api::{METHODS, SdsApi};
pub use names::SdsNames;

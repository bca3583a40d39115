//! The server engine: the registry and its feed, the authorities and their signatures, node attestation, and the
//! services that clients call. It sees ports, never a database or a vendor.

mod agent_removal;
pub mod api;
mod audit;
pub mod authority;
pub mod authz;
mod engine;
pub mod feed;
mod listen;
mod metered;
pub mod metrics;
mod publish;
mod ready;
pub mod registry;
mod same_domain;
pub mod signing;
pub mod sweep;
#[cfg(test)]
mod testing;
mod trust;

pub use api::health::Subsystem;
pub use authority::ServerCredentials;
pub use engine::{Adapters, CONNECTION_AGE, MakeAttestors, OwnAuthorities, ServerError, Settings, run};
pub use publish::{Audience, Objection};
pub use ready::Ready;
pub use same_domain::OtherDomain;
pub use sweep::Prune;

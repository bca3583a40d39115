//! SPIRE's server services, answered from the registry. A handler authorizes, converts, asks, converts back.

pub mod agent;
pub mod bundle;
pub(crate) mod bundle_wire;
pub(crate) mod convert;
mod dns;
pub mod entry;
mod failure;
mod filter;
pub mod health;
mod page;
pub mod svid;

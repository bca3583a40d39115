//! SPIRE's server services, answered from the registry. A handler authorizes, converts, asks, converts back.

pub mod agent;
pub mod bundle;
mod refuse;
mod dns;
mod bundle_wire;
pub(crate) mod convert;
pub mod entry;
mod failure;
mod filter;
pub mod health;
mod page;
pub mod svid;

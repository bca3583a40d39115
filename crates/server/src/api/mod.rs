//! SPIRE's server services, answered from the registry. A handler authorizes, converts, asks, converts back.

pub mod agent;
pub mod authorized;
pub mod bundle;
pub(crate) mod bundle_wire;
pub(crate) mod convert;
pub mod debug;
mod dns;
pub mod entry;
mod failure;
mod filter;
pub mod health;
pub mod local_authority;
pub mod logger;
mod page;
mod relationship_wire;
pub mod svid;
pub mod trustdomain;

pub(crate) use failure::registry_code;

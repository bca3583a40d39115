//! Ports with their calls counted.

mod keys;
mod log;
mod own_bundle;
mod state;

pub(crate) use keys::MeteredKeys;
pub(crate) use log::MeteredLog;
pub(crate) use state::Standing;

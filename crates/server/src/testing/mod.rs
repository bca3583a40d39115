//! Doubles of the ports for unit tests.

mod keys;
mod log;

pub(crate) use keys::MemoryKeys;
pub(crate) use log::MemoryLog;

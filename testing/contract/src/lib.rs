//! One suite for every implementation of a port.

pub mod change_log;
pub mod key_manager;

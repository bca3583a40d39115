//! One suite for every implementation of a port.

pub mod key_manager;

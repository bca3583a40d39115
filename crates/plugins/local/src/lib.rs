//! What one machine offers: disk and memory keys, join tokens, x509pop, Unix processes.

mod hex;
pub mod join_token;
pub mod keys;
pub mod peer;
mod proc;
pub mod unix;
pub mod x509pop;

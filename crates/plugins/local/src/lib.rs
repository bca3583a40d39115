//! What one machine offers: disk and memory keys, join tokens, x509pop, Unix processes; and upstream authorities
//! on disk or of another server.

mod files;
mod hex;
pub mod join_token;
pub mod keys;
pub mod peer;
mod proc;
pub mod unix;
pub mod upstream;
mod workload_api;
pub mod x509pop;

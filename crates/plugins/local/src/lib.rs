//! What one machine offers: disk and memory keys, join tokens, x509pop, http_challenge, sshpop, tpm_devid, Unix processes; and upstream authorities
//! on disk or of another server.

mod files;
mod hex;
pub mod http_challenge;
pub mod join_token;
mod json_bytes;
pub mod keys;
mod path_template;
pub mod peer;
mod proc;
pub mod sshpop;
mod tpm;
pub mod tpm_devid;
pub mod unix;
pub mod upstream;
mod workload_api;
pub mod x509pop;

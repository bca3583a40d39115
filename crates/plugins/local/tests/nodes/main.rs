//! Both halves of the node attestors `http_challenge`, `sshpop` and `tpm_devid`, speaking with one another.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conversation;
mod http_challenge;
mod sshpop;
mod tpm_devid;

//! Both halves of the node attestors `http_challenge` and `sshpop`, speaking with one another.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conversation;
mod http_challenge;
mod sshpop;

//! Real servers, agents and clients for tests: each in a private folder, on loopback ports of its own, ended by pid
//! when its value is dropped, its log shown when the test fails.
//!
//! ```no_run
//! use harness::{Domain, Options};
//!
//! let domain = Domain::start(Options::default());
//! domain.workload("spiffe://example.org/web", &[]);
//! let shown = domain.cli(&["entry", "show"]).succeeds();
//! assert!(shown.stdout.contains("spiffe://example.org/web"));
//! ```
#![allow(clippy::print_stderr, reason = "a failing test shows what its processes said")]

mod agent;
mod client;
mod containers;
mod docker;
mod domain;
mod envoy;
mod eventually;
mod http;
mod locate;
mod nobody;
mod options;
mod podman;
mod ports;
mod process;
mod program;
mod ran;
mod server;
mod skip;
mod small_disk;
mod soft_tpm;
mod systemd;

pub use agent::Agent;
pub use client::{Client, Running, plugin};
pub use containers::Containers;
pub use docker::Docker;
pub use domain::Domain;
pub use envoy::Envoy;
pub use eventually::eventually;
pub use http::{Answer, Reply, ask, get};
pub use nobody::Nobody;
pub use options::{NodeAttestor, Options};
pub use podman::Podman;
pub use ports::free_port;
pub use process::Process;
pub use program::Program;
pub use ran::Ran;
pub use server::Server;
pub use skip::{Missing, skip};
pub use small_disk::SmallDisk;
pub use soft_tpm::SoftTpm;
pub use systemd::Systemd;

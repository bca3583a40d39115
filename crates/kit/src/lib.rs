//! Machinery without business rules: HCL, flags, logs, health, listeners, gRPC.
pub mod cidr;
pub mod clock;
pub mod duration;
pub mod flags;
pub mod hcl;
pub mod log;
pub mod metrics;
pub mod open_files;
pub mod oversized;
pub mod proxy_protocol;
pub mod rpc;
pub mod status;
pub mod steps;
pub mod trace;
pub mod uds;

//! Machinery without business rules: HCL, flags, logs, health, listeners, gRPC.
pub mod clock;

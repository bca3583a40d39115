//! The SPIFFE Workload API, to the letter of SPIRE 1.16.

mod api;
mod body;
mod caller;
mod claims;
mod detail;
mod jwt;
mod known;
mod listen;
mod log;
mod stream;

pub(crate) use api::{Shared, WorkloadApi};
pub(crate) use caller::Attestation;
pub(crate) use listen::Endpoint;

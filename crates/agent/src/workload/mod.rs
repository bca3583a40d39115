//! The SPIFFE Workload API, to the letter of SPIRE 1.16.

mod api;
pub(crate) mod body;
mod caller;
mod claims;
mod detail;
mod jwt;
mod known;
mod listen;
mod log;
mod stream;

pub(crate) use api::{MAX_REQUEST, Shared, WorkloadApi, read};
pub(crate) use caller::{Attestation, Attested, Caller};
pub(crate) use detail::refusal;
pub(crate) use listen::Endpoint;

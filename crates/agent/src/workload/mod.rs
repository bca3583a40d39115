//! The SPIFFE Workload API, to the letter of SPIRE 1.16.

mod api;
pub(crate) mod body;
mod caller;
mod claims;
mod detail;
mod hold;
mod jwt;
mod known;
mod limit;
mod listen;
mod log;
mod method;
mod stream;
mod wit;

pub(crate) use api::{MAX_REQUEST, Shared, WorkloadApi, read};
pub(crate) use caller::{Attestation, Attested, Caller};
pub(crate) use detail::refusal;
pub(crate) use limit::Limiter;
pub(crate) use listen::Endpoint;

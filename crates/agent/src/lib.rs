//! The agent engine: proves its node to the server, follows what the server says the node may have, keeps SVIDs for it,
//! and hands them to local processes through the SPIFFE Workload API and to proxies through SDS.
//!
//! [`run`] is the whole of it; what differs from host to host comes in as [`Adapters`].

mod backoff;
mod cache;
mod error;
mod halflife;
mod issue;
mod jitter;
mod link;
mod metered;
pub mod metrics;
mod node;
mod report;
mod run;
mod sds;
mod settings;
mod status;
mod sync;
mod wire;
mod workload;

pub use error::AgentError;
pub use node::{BootstrapError, FetchError, StateError};
pub use run::run;
pub use sds::SdsNames;
pub use settings::{Adapters, Bootstrap, CallLimits, PinPeer, Settings};
pub use status::{AgentStatus, Stage};

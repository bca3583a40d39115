//! Who may call what.
//!
//! [`table`] says it for every method; [`layer`] asks it before any handler runs and gives handlers a [`Caller`];
//! [`grants`] turn a caller into a value that signing demands. A method without a row is refused, and a test fails.

mod asked_host;
mod caller;
pub mod grants;
pub mod layer;
mod limit;
mod question;
pub mod table;

pub use asked_host::AskedHost;
pub use caller::{Caller, Peer, Standing};
pub use grants::{AdminGrant, AuthorizedAgent, DownstreamGrant, EntryGrant, grant_entry};
pub use layer::{Authorizer, AuthzLayer};
pub use limit::{Kind, Limiter, RateLimits};

#[cfg(test)]
mod tests;

//! The keys that this server signs with: how they come, serve and go, and what is signed with them.
//!
//! There are three lines: the X.509 CA, the JWT key and, where WIT-SVIDs are switched on, the WIT key. In each, an authority is *prepared* (its key is made and it is in
//! the trust bundle), then *active* (it signs), then *old* (what it signed is still valid). The stages are types, so
//! that nothing signs with a key that relying parties have not been told of.
//!
//! The keeper is the one task that moves authorities on. [`Authorities`] is what others hold: it signs, given a grant.

mod error;
mod handle;
mod identity;
mod issue;
mod journal;
mod jwt;
mod keeper;
mod key_id;
mod kind;
mod line;
mod moment;
mod order;
mod own_bundle;
mod prune;
mod schedule;
mod settings;
mod slot;
mod stage;
mod state;
mod token;
mod wit;
mod x509;

pub use error::{AuthorityError, SignError};
pub use handle::Authorities;
pub use identity::ServerCredentials;
pub(crate) use issue::seconds;
pub use issue::{AgentSvid, IssuedToken, IssuedX509, MintJwt, MintWit, MintX509, NewX509, WorkloadKey};
pub use order::{Family, OrderError};
pub(crate) use own_bundle::{AmendError, amend};
pub use settings::{AuthoritySettings, JwtSvids, WitSvids, WorkloadSubjects};
pub use slot::Slot;
pub use state::{AuthorityState, Stage, States};

#[cfg(test)]
mod tests;

//! `agent …`.

pub(super) mod ban;
pub(super) mod count;
pub(super) mod evict;
pub(super) mod filter;
pub(super) mod list;
pub(super) mod purge;
pub(super) mod show;

use kit::flags::Values;
use proto::spire::api::types::Spiffeid;

use crate::fault::Fault;
use crate::parse;

/// The agent that `-spiffeID` names.
fn named(values: &Values) -> Result<Spiffeid, Fault> {
    let text = values.nonempty("spiffeID").ok_or_else(|| {
        Fault::Usage(
            "a SPIFFE ID is required; name the agent with -spiffeID (`agent list` shows them)".to_owned(),
        )
    })?;
    Ok(parse::message(&parse::id("SPIFFE ID", text)?))
}

//! `federation …`.

pub(super) mod create;
pub(super) mod delete;
mod fields;
mod file;
pub(super) mod list;
pub(super) mod refresh;
pub(super) mod show;
pub(super) mod update;

use proto::spire::api::types::{FederationRelationship, Status};
use tonic::Code;

use crate::fault::Fault;
use crate::terminal::Terminal;
use crate::{pretty, status};

/// One result of a batch.
type Done = (Option<Status>, Option<FederationRelationship>);

/// Prints what was done to the one output, and what was refused to the other.
fn report(verb: &str, results: &[Done], terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let well = |status: Option<&Status>| status.is_none_or(|status| status.code == 0);
    let (done, refused): (Vec<_>, Vec<_>) = results.iter().partition(|(s, _)| well(s.as_ref()));
    for (_, relationship) in done {
        writeln!(terminal.out)?;
        pretty::federation::print(terminal.out, &relationship.clone().unwrap_or_default())?;
    }
    for (status, relationship) in &refused {
        let status = status.clone().unwrap_or_default();
        let code = status::name(Code::from(status.code));
        writeln!(terminal.out)?;
        writeln!(
            terminal.err,
            "Failed to {verb} the following federation relationship (code: {code}, msg: {:?}):",
            status.message
        )?;
        pretty::federation::print(terminal.err, &relationship.clone().unwrap_or_default())?;
    }
    if refused.is_empty() {
        return Ok(());
    }
    Err(Fault::Refused(format!("failed to {verb} one or more federation relationships")))
}

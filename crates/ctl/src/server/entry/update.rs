//! `entry update`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::spire::api::server::entry::v1::{BatchUpdateEntryRequest, GetEntryRequest};
use tonic::Code;

use super::super::{LONGEST_ANSWER, SOCKET, command, dial};
use super::create::{code, from_file, report};
use super::fields::{self, usage};
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;

const FLAGS: &[Flag] = &[Flag::text("entryID", "The ID of the entry to replace")];

pub(in super::super) static COMMAND: Command = command(
    "entry update",
    "Replaces registration entries: what a flag does not name is reset",
    &[SOCKET, output::FLAGS, fields::FLAGS, FLAGS],
).with(&[Example::new("Another selector; what is not named is reset", "-entryID 8c0a2f0e -parentID spiffe://example.org/node/a -spiffeID spiffe://example.org/db -selector unix:uid:70")]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let from_flags = values.nonempty("data").is_none();
    let mut entries = match values.nonempty("data") {
        Some(path) => from_file(path, terminal)?,
        None => vec![described(values)?],
    };

    let mut client =
        EntryClient::new(dial(values, terminal).await?).max_decoding_message_size(LONGEST_ANSWER);
    // The attributes travel as one, so those that no flag names have to be sent as they are.
    if from_flags && fields::speaks_of_attributes(values) {
        for entry in &mut entries {
            let request = GetEntryRequest { id: entry.id.clone(), output_mask: None };
            let doing = "failed to fetch existing entry to merge additional attributes: ";
            let present = client.get_entry(request).await.map_err(Fault::call(doing))?.into_inner();
            entry.additional_attributes = fields::attributes(values, present.additional_attributes);
        }
    }
    let request = BatchUpdateEntryRequest { entries: entries.clone(), input_mask: None, output_mask: None };
    let mut answer = client.batch_update_entry(request).await.map_err(Fault::call(""))?.into_inner();
    for (result, asked) in answer.results.iter_mut().zip(entries) {
        if code(result.status.as_ref()) != Code::Ok {
            result.entry = Some(asked);
        }
    }
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, answer.to_json())?);
    }
    let results: Vec<_> = answer.results.into_iter().map(|r| (r.status, r.entry)).collect();
    report("update", &results, terminal)
}

fn described(values: &Values) -> Result<proto::spire::api::types::Entry, Fault> {
    if values.nonempty("entryID").is_none() {
        return Err(usage("entry ID is required; give it with -entryID (`entry show` prints it)"));
    }
    let entry = fields::entry(values)?;
    if entry.parent_id.is_none() {
        return Err(usage("a parent ID is required; give it with -parentID"));
    }
    Ok(entry)
}

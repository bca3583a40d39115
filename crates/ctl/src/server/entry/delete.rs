//! `entry delete`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::spire::api::server::entry::v1::{BatchDeleteEntryRequest, BatchDeleteEntryResponse};
use tonic::Code;

use super::super::{LONGEST_ANSWER, SOCKET, command, dial};
use super::create::code;
use super::fields::usage;
use super::file;
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;
use crate::{file as files, status};

const FLAGS: &[Flag] = &[
    Flag::text("entryID", "The ID of the entry to delete"),
    Flag::file(
        "file",
        "A file with IDs as JSON, {\"ids\": [\"…\"]}, instead of -entryID; - for the standard input",
    ),
];

pub(in super::super) static COMMAND: Command =
    command("entry delete", "Deletes registration entries", &[SOCKET, output::FLAGS, FLAGS]).with(&[
        Example::new("One", "-entryID 8c0a2f0e"),
        Example::new("Many, by their IDs", "-file ids.json"),
    ]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let ids = match (values.nonempty("file"), values.nonempty("entryID")) {
        (Some(path), _) => {
            let content = files::read_or_input(path, terminal)?;
            let unusable = |cause| Fault::Content { what: "the JSON", path: files::name(path), cause };
            file::ids(&content).map_err(unusable)?
        }
        (None, Some(id)) => vec![id.to_owned()],
        (None, None) => {
            return Err(usage(
                "an entry ID is required; give it with -entryID (`entry show` prints it) or -file",
            ));
        }
    };

    let mut client =
        EntryClient::new(dial(values, terminal).await?).max_decoding_message_size(LONGEST_ANSWER);
    let request = BatchDeleteEntryRequest { ids };
    let answer = client.batch_delete_entry(request).await.map_err(Fault::call(""))?.into_inner();
    match output::form(values) {
        Form::Json => Ok(print_json(terminal.out, answer.to_json())?),
        Form::Pretty => report(&answer, terminal),
    }
}

fn report(answer: &BatchDeleteEntryResponse, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let (done, refused): (Vec<_>, Vec<_>) =
        answer.results.iter().partition(|result| code(result.status.as_ref()) == Code::Ok);
    for result in &done {
        writeln!(terminal.out, "Deleted entry with ID: {}", result.id)?;
    }
    if !done.is_empty() {
        write!(terminal.out, "\n\n")?;
    }
    for result in &refused {
        let message = result.status.as_ref().map(|s| s.message.as_str()).unwrap_or_default();
        let code = status::name(code(result.status.as_ref()));
        writeln!(
            terminal.err,
            "Failed to delete entry with ID {} (code: {code}, msg: {message:?})",
            result.id
        )?;
    }

    let (done, refused) = (done.len(), refused.len());
    match (done, refused) {
        (_, 0) => return Ok(writeln!(terminal.out, "Deleted {done} entries successfully")?),
        (0, _) => writeln!(terminal.out, "\n\nFailed to delete {refused} entries")?,
        _ => writeln!(
            terminal.out,
            "\n\nDeleted {done} entries successfully, but failed to delete {refused} entries"
        )?,
    }
    Err(Fault::Refused("failed to delete one or more entries".to_owned()))
}

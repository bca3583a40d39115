//! `entry create`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::entry::v1::BatchCreateEntryRequest;
use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::spire::api::types::{Entry, Spiffeid};
use tonic::Code;

use super::super::{LONGEST_ANSWER, SOCKET, command, dial};
use super::fields::{self, usage};
use super::file;
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;
use crate::{file as files, pretty, status};

const FLAGS: &[Flag] = &[
    Flag::text("entryID", "The entry's ID; the server chooses one where this is absent"),
    Flag::switch(
        "node",
        "The entry is an alias of the nodes that have the selectors; its parent is the server",
    ),
];

pub(in super::super) static COMMAND: Command =
    command("entry create", "Creates registration entries", &[SOCKET, output::FLAGS, fields::FLAGS, FLAGS]).with(&[Example::new("A program by its user, on one node", "-parentID spiffe://example.org/node/a -spiffeID spiffe://example.org/db -selector unix:user:postgres -dns db.example.org"), Example::new("A name for every node that attested by certificate with this subject", "-node -spiffeID spiffe://example.org/node/a -selector x509pop:subject:cn:a.example.org"), Example::new("Many at once", "-data entries.json")]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let entries = match values.nonempty("data") {
        Some(path) => from_file(path, terminal)?,
        None => vec![described(values)?],
    };

    let mut client =
        EntryClient::new(dial(values, terminal).await?).max_decoding_message_size(LONGEST_ANSWER);
    let request = BatchCreateEntryRequest { entries: entries.clone(), output_mask: None };
    let mut answer = client.batch_create_entry(request).await.map_err(Fault::call(""))?.into_inner();
    // A refused entry is not in the answer: show the one that was asked for.
    for (result, asked) in answer.results.iter_mut().zip(entries) {
        if code(result.status.as_ref()) != Code::Ok {
            result.entry = Some(asked);
        }
    }
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, answer.to_json())?);
    }
    let results: Vec<_> = answer.results.into_iter().map(|r| (r.status, r.entry)).collect();
    report("create", &results, terminal)
}

/// The entries of a file, with remarks on the standard error output.
pub(super) fn from_file(path: &str, terminal: &mut Terminal<'_>) -> Result<Vec<Entry>, Fault> {
    let content = files::read_or_input(path, terminal)?;
    let (entries, remarks) = file::entries(&content).map_err(|cause| Fault::Content {
        what: "the JSON",
        path: files::name(path),
        cause,
    })?;
    for remark in remarks {
        writeln!(terminal.err, "Warning: {}: {remark}", files::name(path))?;
    }
    Ok(entries)
}

fn described(values: &Values) -> Result<Entry, Fault> {
    let node = values.switch("node");
    if node && !values.list("federatesWith").is_empty() {
        return Err(usage("node entries can not federate; leave out -federatesWith or -node"));
    }
    let mut entry = fields::entry(values)?;
    entry.additional_attributes = fields::attributes(values, None);
    if node {
        let trust_domain = entry.spiffe_id.as_ref().map(|id| id.trust_domain.clone()).unwrap_or_default();
        entry.parent_id = Some(Spiffeid { trust_domain, path: "/spire/server".to_owned() });
    }
    if entry.parent_id.is_none() {
        return Err(usage("a parent ID is required if the node flag is not set; give it with -parentID"));
    }
    Ok(entry)
}

pub(super) fn code(status: Option<&proto::spire::api::types::Status>) -> Code {
    Code::from(status.map(|status| status.code).unwrap_or_default())
}

/// Prints what was done to the one output, and what was refused to the other.
pub(super) fn report(
    verb: &str,
    results: &[(Option<proto::spire::api::types::Status>, Option<Entry>)],
    terminal: &mut Terminal<'_>,
) -> Result<(), Fault> {
    let (done, refused): (Vec<_>, Vec<_>) = results.iter().partition(|(s, _)| code(s.as_ref()) == Code::Ok);
    for (_, entry) in done {
        pretty::entry::print(terminal.out, &entry.clone().unwrap_or_default())?;
    }
    for (result, entry) in &refused {
        let message = result.as_ref().map(|s| s.message.as_str()).unwrap_or_default();
        let code = status::name(code(result.as_ref()));
        writeln!(terminal.err, "Failed to {verb} the following entry (code: {code}, msg: {message:?}):")?;
        pretty::entry::print(terminal.err, &entry.clone().unwrap_or_default())?;
    }
    if refused.is_empty() {
        return Ok(());
    }
    Err(Fault::Refused(format!("failed to {verb} one or more entries")))
}

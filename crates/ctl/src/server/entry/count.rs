//! `entry count`.

use kit::flags::{Command, Example, Values};
use proto::spire::api::server::entry::v1::CountEntriesRequest;
use proto::spire::api::server::entry::v1::count_entries_request::Filter;
use proto::spire::api::server::entry::v1::entry_client::EntryClient;

use super::super::{SOCKET, command, dial};
use super::filter;
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;
use crate::text;

pub(in super::super) static COMMAND: Command =
    command("entry count", "Counts registration entries", &[SOCKET, output::FLAGS, filter::FLAGS])
        .with(&[Example::new("Entries of one node", "-parentID spiffe://example.org/node/a")]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let chosen = filter::chosen(values)?;
    let request = CountEntriesRequest {
        filter: Some(Filter {
            by_spiffe_id: chosen.by_spiffe_id,
            by_parent_id: chosen.by_parent_id,
            by_selectors: chosen.by_selectors,
            by_federates_with: chosen.by_federates_with,
            by_hint: chosen.by_hint,
            by_downstream: chosen.by_downstream,
        }),
    };

    let mut client = EntryClient::new(dial(values, terminal).await?);
    let answer = client.count_entries(request).await.map_err(Fault::call(""))?.into_inner();
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, answer.to_json())?);
    }
    let number = usize::try_from(answer.count).unwrap_or_default();
    Ok(writeln!(terminal.out, "{}", text::count(number, "registration entry", "registration entries"))?)
}

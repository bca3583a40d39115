//! `entry show`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::spire::api::server::entry::v1::list_entries_request::Filter;
use proto::spire::api::server::entry::v1::{GetEntryRequest, ListEntriesRequest, ListEntriesResponse};
use tonic::transport::Channel;

use super::super::{LONGEST_ANSWER, SOCKET, command, dial};
use super::fields::usage;
use super::filter;
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::pretty;
use crate::terminal::Terminal;

const PAGE: i32 = 500;

const FLAGS: &[Flag] = &[Flag::text("entryID", "The ID of the entry to show")];

pub(in super::super) static COMMAND: Command =
    command("entry show", "Shows registration entries", &[SOCKET, output::FLAGS, filter::FLAGS, FLAGS]).with(
        &[
            Example::new("All of an identity", "-spiffeID spiffe://example.org/db"),
            Example::new(
                "Those that any of two selectors would match",
                "-selector unix:uid:70 -selector unix:uid:71 -matchSelectorsOn any",
            ),
        ],
    );

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let one = values.nonempty("entryID").map(str::to_owned);
    let others = ["parentID", "spiffeID", "selector"];
    if one.is_some() && others.iter().any(|flag| values.given(flag)) {
        return Err(usage("the -entryID flag can't be combined with others; leave out -entryID or the rest"));
    }
    let filter = filter(values)?;

    let channel = dial(values, terminal).await?;
    let mut client = EntryClient::new(channel).max_decoding_message_size(LONGEST_ANSWER);
    let mut found = match one {
        Some(id) => by_id(&mut client, id).await?,
        None => by_filter(&mut client, filter).await?,
    };
    pretty::entry::sort(&mut found.entries);
    match output::form(values) {
        Form::Json => print_json(terminal.out, found.to_json())?,
        Form::Pretty => pretty::entry::print_found(terminal.out, &found.entries)?,
    }
    Ok(())
}

fn filter(values: &Values) -> Result<Filter, Fault> {
    let chosen = filter::chosen(values)?;
    Ok(Filter {
        by_spiffe_id: chosen.by_spiffe_id,
        by_parent_id: chosen.by_parent_id,
        by_selectors: chosen.by_selectors,
        by_federates_with: chosen.by_federates_with,
        by_hint: chosen.by_hint,
        by_downstream: chosen.by_downstream,
    })
}

async fn by_id(client: &mut EntryClient<Channel>, id: String) -> Result<ListEntriesResponse, Fault> {
    let doing = format!("error fetching entry ID {id}: ");
    let request = GetEntryRequest { id, output_mask: None };
    let entry = client.get_entry(request).await.map_err(Fault::call(doing))?.into_inner();
    Ok(ListEntriesResponse { entries: vec![entry], next_page_token: String::new() })
}

async fn by_filter(client: &mut EntryClient<Channel>, filter: Filter) -> Result<ListEntriesResponse, Fault> {
    let mut request = ListEntriesRequest {
        filter: Some(filter),
        output_mask: None,
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut all = ListEntriesResponse::default();
    loop {
        let doing = "error fetching entries: ";
        let page = client.list_entries(request.clone()).await.map_err(Fault::call(doing))?.into_inner();
        all.entries.extend(page.entries);
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        request.page_token = page.next_page_token;
    }
}

//! `agent list`.

use kit::flags::{Command, Example, Values};
use proto::spire::api::server::agent::v1::agent_client::AgentClient;
use proto::spire::api::server::agent::v1::list_agents_request::Filter;
use proto::spire::api::server::agent::v1::{ListAgentsRequest, ListAgentsResponse};

use super::super::{LONGEST_ANSWER, SOCKET, command, dial};
use super::filter;
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::pretty;
use crate::terminal::Terminal;

const PAGE: i32 = 1000;

pub(in super::super) static COMMAND: Command =
    command("agent list", "Lists attested agents", &[SOCKET, output::FLAGS, filter::FLAGS]).with(&[
        Example::new(
            "Agents that may not come back by themselves, as JSON",
            "-canReattest false -output json",
        ),
        Example::new("Those that attested by certificate", "-attestationType x509pop"),
    ]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let chosen = filter::chosen(values)?;
    let mut request = ListAgentsRequest {
        filter: Some(Filter {
            by_attestation_type: chosen.by_attestation_type,
            by_selector_match: chosen.by_selector_match,
            by_banned: chosen.by_banned,
            by_can_reattest: chosen.by_can_reattest,
            by_expires_before: chosen.by_expires_before,
        }),
        output_mask: None,
        page_size: PAGE,
        page_token: String::new(),
    };

    let mut client =
        AgentClient::new(dial(values, terminal).await?).max_decoding_message_size(LONGEST_ANSWER);
    let mut all = ListAgentsResponse::default();
    loop {
        let page = client.list_agents(request.clone()).await.map_err(Fault::call(""))?.into_inner();
        all.agents.extend(page.agents);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }

    match output::form(values) {
        Form::Json => print_json(terminal.out, all.to_json())?,
        Form::Pretty => pretty::agents::print_found(terminal.out, &all.agents)?,
    }
    Ok(())
}

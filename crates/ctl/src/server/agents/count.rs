//! `agent count`.

use kit::flags::{Command, Example, Values};
use proto::spire::api::server::agent::v1::CountAgentsRequest;
use proto::spire::api::server::agent::v1::agent_client::AgentClient;
use proto::spire::api::server::agent::v1::count_agents_request::Filter;

use super::super::{SOCKET, command, dial};
use super::filter;
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;
use crate::text;

pub(in super::super) static COMMAND: Command =
    command("agent count", "Counts attested agents", &[SOCKET, output::FLAGS, filter::FLAGS])
        .with(&[Example::new("How many are banned", "-banned true")]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let chosen = filter::chosen(values)?;
    let request = CountAgentsRequest {
        filter: Some(Filter {
            by_attestation_type: chosen.by_attestation_type,
            by_selector_match: chosen.by_selector_match,
            by_banned: chosen.by_banned,
            by_can_reattest: chosen.by_can_reattest,
            by_expires_before: chosen.by_expires_before,
        }),
    };

    let mut client = AgentClient::new(dial(values, terminal).await?);
    let answer = client.count_agents(request).await.map_err(Fault::call(""))?.into_inner();
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, answer.to_json())?);
    }
    let number = usize::try_from(answer.count).unwrap_or_default();
    Ok(writeln!(terminal.out, "{}", text::count(number, "attested agent", "attested agents"))?)
}

//! `agent show`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::agent::v1::GetAgentRequest;
use proto::spire::api::server::agent::v1::agent_client::AgentClient;

use super::super::{SOCKET, command, dial};
use super::named;
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::pretty;
use crate::terminal::Terminal;

const FLAGS: &[Flag] = &[Flag::text("spiffeID", "The SPIFFE ID of the agent to show")];

pub(in super::super) static COMMAND: Command =
    command("agent show", "Shows an attested agent", &[SOCKET, output::FLAGS, FLAGS]).with(&[Example::new(
        "Selectors included",
        "-spiffeID spiffe://example.org/spire/agent/x509pop/0a1b",
    )]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let request = GetAgentRequest { id: Some(named(values)?), output_mask: None };
    let mut client = AgentClient::new(dial(values, terminal).await?);
    let answer = client.get_agent(request).await.map_err(Fault::call(""))?.into_inner();
    match output::form(values) {
        Form::Json => print_json(terminal.out, answer.to_json())?,
        Form::Pretty => pretty::agents::print_one(terminal.out, &answer)?,
    }
    Ok(())
}

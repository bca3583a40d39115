//! `agent evict`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::agent::v1::DeleteAgentRequest;
use proto::spire::api::server::agent::v1::agent_client::AgentClient;

use super::super::{SOCKET, command, dial};
use super::named;
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;

const FLAGS: &[Flag] = &[Flag::text("spiffeID", "The SPIFFE ID of the agent to evict")];

pub(in super::super) static COMMAND: Command = command(
    "agent evict",
    "Evicts an attested agent: its SVID is no longer accepted until it attests again",
    &[SOCKET, output::FLAGS, FLAGS],
)
.with(&[Example::new("Make a node attest again", "-spiffeID spiffe://example.org/spire/agent/x509pop/0a1b")]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let request = DeleteAgentRequest { id: Some(named(values)?) };
    let mut client = AgentClient::new(dial(values, terminal).await?);
    client.delete_agent(request).await.map_err(Fault::call(""))?;
    match output::form(values) {
        Form::Json => print_json(terminal.out, ().to_json())?,
        Form::Pretty => writeln!(terminal.out, "Agent evicted successfully")?,
    }
    Ok(())
}

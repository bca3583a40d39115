//! `token generate`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::agent::v1::CreateJoinTokenRequest;
use proto::spire::api::server::agent::v1::agent_client::AgentClient;

use super::{SOCKET, command, dial};
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::parse;
use crate::terminal::Terminal;

const FLAGS: &[Flag] = &[
    Flag::integer("ttl", "How long the token may be used, in seconds").or("600"),
    Flag::text("spiffeID", "A further SPIFFE ID for the node that uses the token"),
];

pub(super) static COMMAND: Command =
    command("token generate", "Makes a token with which a node can join", &[SOCKET, output::FLAGS, FLAGS])
        .with(&[Example::new(
            "For a node that gets a name of its own, for an hour",
            "-spiffeID spiffe://example.org/node/a -ttl 3600",
        )]);

pub(super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let request = CreateJoinTokenRequest {
        ttl: parse::seconds("TTL", values.integer("ttl"))?,
        agent_id: parse::maybe_id("SPIFFE ID", values.nonempty("spiffeID"))?,
        token: String::new(),
    };
    let aliased = request.agent_id.is_some();

    let mut client = AgentClient::new(dial(values, terminal).await?);
    let token = client.create_join_token(request).await.map_err(Fault::call(""))?.into_inner();
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, token.to_json())?);
    }
    writeln!(terminal.out, "Token: {}", token.value)?;
    if !aliased {
        writeln!(terminal.out, "Warning: Missing SPIFFE ID.")?;
    }
    Ok(())
}

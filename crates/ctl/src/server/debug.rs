//! `debug getinfo`.

use std::time::Duration;

use kit::flags::{Command, Example, Values};
use proto::spire::api::server::debug::v1::GetInfoRequest;
use proto::spire::api::server::debug::v1::debug_client::DebugClient;

use super::{SOCKET, command, dial};
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;
use crate::text;

pub(super) static COMMAND: Command =
    command("debug getinfo", "Tells how the server is doing, in numbers", &[SOCKET, output::FLAGS])
        .with(&[Example::new("As JSON", "-output json")]);

pub(super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let mut client = DebugClient::new(dial(values, terminal).await?);
    let info = client.get_info(GetInfoRequest {}).await.map_err(Fault::call(""))?.into_inner();
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, info.to_json())?);
    }
    let uptime = Duration::from_secs(info.uptime.max(0).unsigned_abs().into());
    writeln!(terminal.out, "Server Debug Info:")?;
    let mut line = |label: &str, value: &str| writeln!(terminal.out, "  {label:25}{value}");
    line("Uptime:", &kit::duration::format(uptime))?;
    line("Registered Agents:", &info.agents_count.to_string())?;
    line("Registration Entries:", &info.entries_count.to_string())?;
    line("Federated Bundles:", &info.federated_bundles_count.to_string())?;
    if !info.svid_chain.is_empty() {
        writeln!(terminal.out, "  SVID Chain:")?;
    }
    for (at, certificate) in info.svid_chain.iter().enumerate() {
        let id = certificate.id.as_ref().map_or_else(|| "(none)".to_owned(), |id| text::id(Some(id)));
        writeln!(terminal.out, "    [{at}] SPIFFE ID:  {id}")?;
        writeln!(terminal.out, "        Subject:    {}", certificate.subject)?;
        writeln!(terminal.out, "        Expires At: {}", text::rfc3339(certificate.expires_at))?;
    }
    Ok(())
}

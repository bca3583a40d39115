//! `bundle count`.

use kit::flags::{Command, Example, Values};
use proto::spire::api::server::bundle::v1::CountBundlesRequest;
use proto::spire::api::server::bundle::v1::bundle_client::BundleClient;

use super::super::{SOCKET, command, dial};
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;
use crate::text;

pub(in super::super) static COMMAND: Command =
    command("bundle count", "Counts bundles, the trust domain's own included", &[SOCKET, output::FLAGS])
        .with(&[Example::new("Own and others'", "")]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let mut client = BundleClient::new(dial(values, terminal).await?);
    let answer = client.count_bundles(CountBundlesRequest {}).await.map_err(Fault::call(""))?.into_inner();
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, answer.to_json())?);
    }
    let number = usize::try_from(answer.count).unwrap_or_default();
    Ok(writeln!(terminal.out, "{}", text::count(number, "bundle", "bundles"))?)
}

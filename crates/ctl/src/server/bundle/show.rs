//! `bundle show`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::bundle::v1::GetBundleRequest;
use proto::spire::api::server::bundle::v1::bundle_client::BundleClient;

use super::super::{LONGEST_ANSWER, SOCKET, command, dial};
use super::FORMATS;
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::pretty;
use crate::terminal::Terminal;

const FLAGS: &[Flag] =
    &[Flag::choice("format", FORMATS, "How the bundle is written: pem or spiffe; not for -output json")];

pub(in super::super) static COMMAND: Command =
    command("bundle show", "Shows the trust domain's own bundle", &[SOCKET, output::FLAGS, FLAGS]).with(&[
        Example::new("For an agent to bootstrap with", "> bundle.pem"),
        Example::new("For another trust domain", "-format spiffe"),
    ]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let channel = dial(values, terminal).await?;
    let mut client = BundleClient::new(channel).max_decoding_message_size(LONGEST_ANSWER);
    let request = GetBundleRequest { output_mask: None };
    let bundle = client.get_bundle(request).await.map_err(Fault::call(""))?.into_inner();
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, bundle.to_json())?);
    }
    Ok(write!(terminal.out, "{}", pretty::bundle::text(&bundle, values.text("format"))?)?)
}

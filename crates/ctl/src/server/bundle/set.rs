//! `bundle set`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::bundle::v1::BatchSetFederatedBundleRequest;
use proto::spire::api::server::bundle::v1::bundle_client::BundleClient;

use super::super::{SOCKET, command, dial};
use super::FORMATS;
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;
use crate::{credentials, file, parse};

const FLAGS: &[Flag] = &[
    Flag::text("id", "The SPIFFE ID of the trust domain"),
    Flag::file("path", "The file with the bundle; the standard input where this is absent"),
    Flag::choice("format", FORMATS, "How the bundle is written: pem or spiffe"),
];

pub(in super::super) static COMMAND: Command = command(
    "bundle set",
    "Adds or replaces the bundle of another trust domain",
    &[SOCKET, output::FLAGS, FLAGS],
)
.with(&[Example::new(
    "Trust the workloads of another domain",
    "-id spiffe://partner.example -format spiffe -path partner.json",
)]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let id = values.nonempty("id").ok_or_else(|| {
        Fault::Usage("id flag is required; name the trust domain, as in -id spiffe://example.org".to_owned())
    })?;
    let domain = parse::trust_domain(id)?;
    let path = values.nonempty("path").unwrap_or("-");
    let content = file::read_or_input(path, terminal)?;
    let unusable = |cause| Fault::Content { what: "the bundle", path: file::name(path), cause };
    let (bundle, passed_over) =
        credentials::read_bundle(&domain, &content, values.text("format")).map_err(unusable)?;
    for key in &passed_over {
        writeln!(terminal.err, "{key}")?;
    }

    let mut client = BundleClient::new(dial(values, terminal).await?);
    let request = BatchSetFederatedBundleRequest { bundle: vec![bundle], output_mask: None };
    let doing = "failed to set federated bundle: ";
    let answer = client.batch_set_federated_bundle(request).await.map_err(Fault::call(doing))?.into_inner();
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, answer.to_json())?);
    }
    let result =
        answer.results.first().ok_or_else(|| Fault::Answer("there is no result in it".to_owned()))?;
    match result.status.as_ref().filter(|status| status.code != 0) {
        None => Ok(writeln!(terminal.out, "bundle set.")?),
        Some(status) => Err(Fault::Refused(format!("failed to set federated bundle: {}", status.message))),
    }
}

//! `bundle delete`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::bundle::v1::BatchDeleteFederatedBundleRequest;
use proto::spire::api::server::bundle::v1::batch_delete_federated_bundle_request::Mode;
use proto::spire::api::server::bundle::v1::bundle_client::BundleClient;
use tonic::Code;

use super::super::{SOCKET, command, dial};
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::parse;
use crate::terminal::Terminal;

const FLAGS: &[Flag] = &[
    Flag::text("id", "The SPIFFE ID of the trust domain"),
    Flag::choice(
        "mode",
        &["restrict", "dissociate", "delete"],
        "What happens to entries that federate with it: restrict keeps the bundle while there are any, dissociate \
         unties them, delete deletes them",
    ),
];

pub(in super::super) static COMMAND: Command =
    command("bundle delete", "Deletes the bundle of another trust domain", &[SOCKET, output::FLAGS, FLAGS])
        .with(&[Example::new(
            "Keep the entries that federate with it, without the link",
            "-id spiffe://partner.example -mode dissociate",
        )]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let id = values.nonempty("id").ok_or_else(|| {
        Fault::Usage("id is required; name the trust domain, as in -id spiffe://example.org".to_owned())
    })?;
    let mode = match values.text("mode") {
        "dissociate" => Mode::Dissociate,
        "delete" => Mode::Delete,
        _ => Mode::Restrict,
    };
    parse::trust_domain(id)?;
    // As it was given: the server names it so in its answer (SPIRE 1.16).
    let request = BatchDeleteFederatedBundleRequest { trust_domains: vec![id.to_owned()], mode: mode.into() };

    let mut client = BundleClient::new(dial(values, terminal).await?);
    let doing = "failed to delete federated bundle: ";
    let answer =
        client.batch_delete_federated_bundle(request).await.map_err(Fault::call(doing))?.into_inner();
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, answer.to_json())?);
    }
    let result =
        answer.results.first().ok_or_else(|| Fault::Answer("there is no result in it".to_owned()))?;
    let Some(status) = result.status.as_ref().filter(|status| status.code != 0) else {
        return Ok(writeln!(terminal.out, "bundle deleted.")?);
    };
    let what_to_do = if Code::from(status.code) == Code::FailedPrecondition {
        "; untie them with -mode dissociate, or delete them too with -mode delete"
    } else {
        ""
    };
    Err(Fault::Refused(format!(
        "failed to delete federated bundle {:?}: {}{what_to_do}",
        result.trust_domain, status.message
    )))
}

//! `federation delete`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::trustdomain::v1::BatchDeleteFederationRelationshipRequest;
use proto::spire::api::server::trustdomain::v1::trust_domain_client::TrustDomainClient;

use super::super::{SOCKET, command, dial};
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;

const FLAGS: &[Flag] = &[Flag::text("id", "The SPIFFE ID of the trust domain")];

pub(in super::super) static COMMAND: Command = command(
    "federation delete",
    "Follows the bundle of another trust domain no longer; the bundle stays",
    &[SOCKET, output::FLAGS, FLAGS],
)
.with(&[Example::new("End it", "-id spiffe://partner.example")]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let id = values.nonempty("id").ok_or_else(|| {
        Fault::Usage("id is required; name the trust domain, as in -id spiffe://example.org".to_owned())
    })?;
    let mut client = TrustDomainClient::new(dial(values, terminal).await?);
    let request = BatchDeleteFederationRelationshipRequest { trust_domains: vec![id.to_owned()] };
    let answer = client.batch_delete_federation_relationship(request).await;
    let answer = answer.map_err(Fault::call("failed to delete federation relationship: "))?.into_inner();
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, answer.to_json())?);
    }
    let result =
        answer.results.first().ok_or_else(|| Fault::Answer("there is no result in it".to_owned()))?;
    match result.status.as_ref().filter(|status| status.code != 0) {
        None => Ok(writeln!(terminal.out, "federation relationship deleted.")?),
        Some(status) => Err(Fault::Refused(format!(
            "failed to delete federation relationship {:?}: {}",
            result.trust_domain, status.message
        ))),
    }
}

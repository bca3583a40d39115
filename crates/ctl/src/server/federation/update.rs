//! `federation update`.

use kit::flags::{Command, Example, Values};
use proto::spire::api::server::trustdomain::v1::BatchUpdateFederationRelationshipRequest;
use proto::spire::api::server::trustdomain::v1::trust_domain_client::TrustDomainClient;

use super::super::{LONGEST_ANSWER, SOCKET, command, dial};
use super::fields;
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;

pub(in super::super) static COMMAND: Command = command(
    "federation update",
    "Replaces how the bundle of another trust domain is kept up to date",
    &[SOCKET, output::FLAGS, fields::FLAGS],
).with(&[Example::new("By web PKI from now on", "-trustDomain spiffe://partner.example -bundleEndpointURL https://bundles.partner.example -bundleEndpointProfile https_web")]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let asked = fields::relationships(values, terminal)?;
    let channel = dial(values, terminal).await?;
    let mut client = TrustDomainClient::new(channel).max_decoding_message_size(LONGEST_ANSWER);
    let request = BatchUpdateFederationRelationshipRequest {
        federation_relationships: asked.clone(),
        ..BatchUpdateFederationRelationshipRequest::default()
    };
    let answer = client.batch_update_federation_relationship(request).await;
    let answer = answer.map_err(Fault::call("request failed: "))?.into_inner();
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, answer.to_json())?);
    }
    // A refused relationship is not in the answer: show the one that was asked for.
    let results = answer.results.into_iter().zip(asked);
    let results: Vec<_> =
        results.map(|(r, asked)| (r.status, Some(r.federation_relationship.unwrap_or(asked)))).collect();
    super::report("update", &results, terminal)
}

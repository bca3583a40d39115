//! `federation show`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::trustdomain::v1::GetFederationRelationshipRequest;
use proto::spire::api::server::trustdomain::v1::trust_domain_client::TrustDomainClient;

use super::super::{LONGEST_ANSWER, SOCKET, command, dial};
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::pretty;
use crate::terminal::Terminal;

const FLAGS: &[Flag] = &[Flag::text("trustDomain", "The name of the other trust domain, as in example.org")];

pub(in super::super) static COMMAND: Command = command(
    "federation show",
    "Shows how the bundle of another trust domain is kept up to date",
    &[SOCKET, output::FLAGS, FLAGS],
)
.with(&[Example::new("One", "-trustDomain spiffe://partner.example")]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let domain = values.nonempty("trustDomain").ok_or_else(|| {
        Fault::Usage(
            "a trust domain name is required; give it with -trustDomain, as in example.org".to_owned(),
        )
    })?;
    let channel = dial(values, terminal).await?;
    let mut client = TrustDomainClient::new(channel).max_decoding_message_size(LONGEST_ANSWER);
    let request = GetFederationRelationshipRequest { trust_domain: domain.to_owned(), output_mask: None };
    let found = client.get_federation_relationship(request).await;
    let found = found.map_err(Fault::call("error showing federation relationship: "))?.into_inner();
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, found.to_json())?);
    }
    writeln!(terminal.out, "Found a federation relationship with trust domain {domain}:\n")?;
    Ok(pretty::federation::print(terminal.out, &found)?)
}

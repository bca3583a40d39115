//! `federation list`.

use kit::flags::{Command, Example, Values};
use proto::spire::api::server::trustdomain::v1::trust_domain_client::TrustDomainClient;
use proto::spire::api::server::trustdomain::v1::{
    ListFederationRelationshipsRequest, ListFederationRelationshipsResponse,
};

use super::super::{LONGEST_ANSWER, SOCKET, command, dial};
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;
use crate::{pretty, text};

const PAGE: i32 = 100;

pub(in super::super) static COMMAND: Command = command(
    "federation list",
    "Lists the trust domains whose bundles are kept up to date",
    &[SOCKET, output::FLAGS],
)
.with(&[Example::new("As JSON", "-output json")]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let channel = dial(values, terminal).await?;
    let mut client = TrustDomainClient::new(channel).max_decoding_message_size(LONGEST_ANSWER);
    let mut request = ListFederationRelationshipsRequest { page_size: PAGE, ..Default::default() };
    let mut all = ListFederationRelationshipsResponse::default();
    loop {
        let page = client.list_federation_relationships(request.clone()).await;
        let page = page.map_err(Fault::call("error listing federation relationship: "))?.into_inner();
        all.federation_relationships.extend(page.federation_relationships);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, all.to_json())?);
    }
    let count = all.federation_relationships.len();
    let found = text::count(count, "federation relationship", "federation relationships");
    writeln!(terminal.out, "Found {found}")?;
    for relationship in &all.federation_relationships {
        writeln!(terminal.out)?;
        pretty::federation::print(terminal.out, relationship)?;
    }
    Ok(())
}

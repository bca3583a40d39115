//! `federation refresh`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::trustdomain::v1::RefreshBundleRequest;
use proto::spire::api::server::trustdomain::v1::trust_domain_client::TrustDomainClient;
use proto::spire::api::types;
use tonic::Code;

use super::super::{SOCKET, command, dial};
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;

const FLAGS: &[Flag] = &[Flag::text("id", "The SPIFFE ID of the trust domain")];

pub(in super::super) static COMMAND: Command = command(
    "federation refresh",
    "Fetches the bundle of another trust domain now",
    &[SOCKET, output::FLAGS, FLAGS],
)
.with(&[Example::new("Now, after an emergency there", "-id spiffe://partner.example")]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let id = values.nonempty("id").ok_or_else(|| {
        Fault::Usage("id is required; name the trust domain, as in -id spiffe://example.org".to_owned())
    })?;
    let mut client = TrustDomainClient::new(dial(values, terminal).await?);
    let request = RefreshBundleRequest { trust_domain: id.to_owned() };
    match client.refresh_bundle(request).await {
        Ok(_) if output::form(values) == Form::Json => {
            let ok = types::Status { code: 0, message: "OK".to_owned() };
            Ok(print_json(terminal.out, ok.to_json())?)
        }
        Ok(_) => Ok(writeln!(terminal.out, "Bundle refreshed")?),
        Err(status) if status.code() == Code::NotFound => {
            Err(Fault::Refused(format!("there is no federation relationship with trust domain {id:?}")))
        }
        Err(status) => Err(Fault::call("failed to refresh bundle: ")(status)),
    }
}

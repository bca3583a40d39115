//! `bundle list`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::bundle::v1::bundle_client::BundleClient;
use proto::spire::api::server::bundle::v1::{
    GetFederatedBundleRequest, ListFederatedBundlesRequest, ListFederatedBundlesResponse,
};
use tonic::transport::Channel;

use super::super::{LONGEST_ANSWER, SOCKET, command, dial};
use super::FORMATS;
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;
use crate::{parse, pretty};

const FLAGS: &[Flag] = &[
    Flag::text("id", "The SPIFFE ID of the trust domain; all where this is absent"),
    Flag::choice("format", FORMATS, "How the bundles are written: pem or spiffe; not for -output json"),
];

pub(in super::super) static COMMAND: Command =
    command("bundle list", "Lists the bundles of other trust domains", &[SOCKET, output::FLAGS, FLAGS])
        .with(&[Example::new("One, for a SPIFFE library", "-id spiffe://partner.example -format spiffe")]);

pub(in super::super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let one = values.nonempty("id").map(parse::trust_domain).transpose()?;
    let channel = dial(values, terminal).await?;
    let mut client = BundleClient::new(channel).max_decoding_message_size(LONGEST_ANSWER);
    let form = output::form(values);
    let format = values.text("format");

    if let Some(domain) = one {
        let request =
            GetFederatedBundleRequest { trust_domain: domain.as_str().to_owned(), output_mask: None };
        let bundle = client.get_federated_bundle(request).await.map_err(Fault::call(""))?.into_inner();
        match form {
            Form::Json => print_json(terminal.out, bundle.to_json())?,
            Form::Pretty => write!(terminal.out, "{}", pretty::bundle::text(&bundle, format)?)?,
        }
        return Ok(());
    }

    let all = everything(&mut client).await?;
    if form == Form::Json {
        return Ok(print_json(terminal.out, all.to_json())?);
    }
    for (at, bundle) in all.bundles.iter().enumerate() {
        if at > 0 {
            writeln!(terminal.out)?;
        }
        let text = pretty::bundle::text(bundle, format)?;
        write!(terminal.out, "{}{text}", pretty::bundle::header(&bundle.trust_domain))?;
    }
    Ok(())
}

async fn everything(client: &mut BundleClient<Channel>) -> Result<ListFederatedBundlesResponse, Fault> {
    let mut request = ListFederatedBundlesRequest::default();
    let mut all = ListFederatedBundlesResponse::default();
    loop {
        let page =
            client.list_federated_bundles(request.clone()).await.map_err(Fault::call(""))?.into_inner();
        all.bundles.extend(page.bundles);
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        request.page_token = page.next_page_token;
    }
}

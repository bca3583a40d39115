//! `localauthority …` and `upstreamauthority …`.

pub(super) mod activate;
pub(super) mod prepare;
pub(super) mod revoke;
pub(super) mod show;
pub(super) mod taint;
pub(super) mod upstream;

use kit::flags::Values;

use crate::fault::Fault;
use crate::json::ToJson;
use crate::output::{self, Form, print_json};
use crate::pretty;
use crate::pretty::authority::Family;
use crate::terminal::Terminal;

type Client = proto::spire::api::server::localauthority::v1::local_authority_client::LocalAuthorityClient<
    tonic::transport::Channel,
>;
type State = proto::spire::api::server::localauthority::v1::AuthorityState;

async fn client(values: &Values, terminal: &Terminal<'_>) -> Result<Client, Fault> {
    Ok(Client::new(super::dial(values, terminal).await?))
}

/// The authority that `-authorityID` names.
fn named(values: &Values) -> Result<String, Fault> {
    let id = values.nonempty("authorityID").ok_or_else(|| {
        Fault::Usage(
            "an authority ID is required; name it with -authorityID (`localauthority x509 show` and \
             `localauthority jwt show` list them)"
                .to_owned(),
        )
    })?;
    Ok(id.to_owned())
}

/// Prints the authority that something was done to; `done` is the deed, as in `Prepared`.
fn print(
    values: &Values,
    terminal: &mut Terminal<'_>,
    answer: &impl ToJson,
    done: &str,
    family: Family,
    state: Option<&State>,
) -> Result<(), Fault> {
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, answer.to_json())?);
    }
    writeln!(terminal.out, "{done} {} authority:", family.name())?;
    let state = state.ok_or_else(|| Fault::Answer("it does not name the authority".to_owned()))?;
    Ok(pretty::authority::print(terminal.out, family, state)?)
}

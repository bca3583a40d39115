//! `localauthority … show`.

use kit::flags::{Command, Example, Values};
use proto::spire::api::server::localauthority::v1::{
    GetJwtAuthorityStateRequest, GetX509AuthorityStateRequest,
};

use super::super::{SOCKET, command};
use super::client;
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::pretty;
use crate::pretty::authority::Family;
use crate::terminal::Terminal;

pub(in super::super) static X509: Command =
    command("localauthority x509 show", "Shows the server's own X.509 authorities", &[SOCKET, output::FLAGS])
        .with(&[Example::new("Which one signs, and which comes next", "")]);

pub(in super::super) static JWT: Command =
    command("localauthority jwt show", "Shows the server's own JWT authorities", &[SOCKET, output::FLAGS])
        .with(&[Example::new("Which one signs, and which comes next", "")]);

pub(in super::super) async fn x509(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let mut client = client(values, terminal).await?;
    let answer = client.get_x509_authority_state(GetX509AuthorityStateRequest {});
    let answer = answer.await.map_err(Fault::call("could not get X.509 authorities: "))?.into_inner();
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, answer.to_json())?);
    }
    let stages = [answer.active, answer.prepared, answer.old];
    Ok(pretty::authority::print_stages(terminal.out, Family::X509, &stages)?)
}

pub(in super::super) async fn jwt(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let mut client = client(values, terminal).await?;
    let answer = client.get_jwt_authority_state(GetJwtAuthorityStateRequest {});
    let answer = answer.await.map_err(Fault::call("could not get JWT authorities: "))?.into_inner();
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, answer.to_json())?);
    }
    let stages = [answer.active, answer.prepared, answer.old];
    Ok(pretty::authority::print_stages(terminal.out, Family::Jwt, &stages)?)
}

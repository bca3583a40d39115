//! `localauthority … activate`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::localauthority::v1::{
    ActivateJwtAuthorityRequest, ActivateX509AuthorityRequest,
};

use super::super::{SOCKET, command};
use super::{client, named, print};
use crate::fault::Fault;
use crate::output;
use crate::pretty::authority::Family;
use crate::terminal::Terminal;

const FLAGS: &[Flag] = &[Flag::text("authorityID", "The authority ID of the authority to activate")];

pub(in super::super) static X509: Command = command(
    "localauthority x509 activate",
    "Has the prepared X.509 authority sign from now on",
    &[SOCKET, output::FLAGS, FLAGS],
)
.with(&[Example::new("The second: sign with the prepared one", "-authorityID 3f1c9a")]);

pub(in super::super) static JWT: Command = command(
    "localauthority jwt activate",
    "Has the prepared JWT authority sign from now on",
    &[SOCKET, output::FLAGS, FLAGS],
)
.with(&[Example::new("The second: sign with the prepared one", "-authorityID Yq0Vb2")]);

pub(in super::super) async fn x509(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let request = ActivateX509AuthorityRequest { authority_id: named(values)? };
    let answer = client(values, terminal).await?.activate_x509_authority(request).await;
    let answer = answer.map_err(Fault::call("could not activate X.509 authority: "))?.into_inner();
    print(values, terminal, &answer, "Activated", Family::X509, answer.activated_authority.as_ref())
}

pub(in super::super) async fn jwt(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let request = ActivateJwtAuthorityRequest { authority_id: named(values)? };
    let answer = client(values, terminal).await?.activate_jwt_authority(request).await;
    let answer = answer.map_err(Fault::call("could not activate JWT authority: "))?.into_inner();
    print(values, terminal, &answer, "Activated", Family::Jwt, answer.activated_authority.as_ref())
}

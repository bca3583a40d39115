//! `localauthority … prepare`.

use kit::flags::{Command, Example, Values};
use proto::spire::api::server::localauthority::v1::{
    PrepareJwtAuthorityRequest, PrepareX509AuthorityRequest,
};

use super::super::{SOCKET, command};
use super::{client, print};
use crate::fault::Fault;
use crate::output;
use crate::pretty::authority::Family;
use crate::terminal::Terminal;

pub(in super::super) static X509: Command = command(
    "localauthority x509 prepare",
    "Makes the next X.509 authority and publishes it in the bundle",
    &[SOCKET, output::FLAGS],
)
.with(&[Example::new("The first step of a forced rotation", "")]);

pub(in super::super) static JWT: Command = command(
    "localauthority jwt prepare",
    "Makes the next JWT authority and publishes it in the bundle",
    &[SOCKET, output::FLAGS],
)
.with(&[Example::new("The first step of a forced rotation", "")]);

pub(in super::super) async fn x509(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let request = PrepareX509AuthorityRequest {};
    let answer = client(values, terminal).await?.prepare_x509_authority(request).await;
    let answer = answer.map_err(Fault::call("could not prepare X.509 authority: "))?.into_inner();
    print(values, terminal, &answer, "Prepared", Family::X509, answer.prepared_authority.as_ref())
}

pub(in super::super) async fn jwt(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let request = PrepareJwtAuthorityRequest {};
    let answer = client(values, terminal).await?.prepare_jwt_authority(request).await;
    let answer = answer.map_err(Fault::call("could not prepare JWT authority: "))?.into_inner();
    print(values, terminal, &answer, "Prepared", Family::Jwt, answer.prepared_authority.as_ref())
}

//! `localauthority … taint`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::localauthority::v1::{TaintJwtAuthorityRequest, TaintX509AuthorityRequest};

use super::super::{SOCKET, command};
use super::{client, named, print};
use crate::fault::Fault;
use crate::output;
use crate::pretty::authority::Family;
use crate::terminal::Terminal;

const FLAGS: &[Flag] = &[Flag::text("authorityID", "The authority ID of the authority to taint")];

pub(in super::super) static X509: Command = command(
    "localauthority x509 taint",
    "Marks the old X.509 authority as tainted: what it signed is replaced at once",
    &[SOCKET, output::FLAGS, FLAGS],
)
.with(&[Example::new("The third: make everyone renew what the old one signed", "-authorityID 7d2e41")]);

pub(in super::super) static JWT: Command = command(
    "localauthority jwt taint",
    "Marks the old JWT authority as tainted: what it signed is replaced at once",
    &[SOCKET, output::FLAGS, FLAGS],
)
.with(&[Example::new("The third: make everyone renew what the old one signed", "-authorityID m3Ks8T")]);

pub(in super::super) async fn x509(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let request = TaintX509AuthorityRequest { authority_id: named(values)? };
    let answer = client(values, terminal).await?.taint_x509_authority(request).await;
    let answer = answer.map_err(Fault::call("could not taint X.509 authority: "))?.into_inner();
    print(values, terminal, &answer, "Tainted", Family::X509, answer.tainted_authority.as_ref())
}

pub(in super::super) async fn jwt(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let request = TaintJwtAuthorityRequest { authority_id: named(values)? };
    let answer = client(values, terminal).await?.taint_jwt_authority(request).await;
    let answer = answer.map_err(Fault::call("could not taint JWT authority: "))?.into_inner();
    print(values, terminal, &answer, "Tainted", Family::Jwt, answer.tainted_authority.as_ref())
}

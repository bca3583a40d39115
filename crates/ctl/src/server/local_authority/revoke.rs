//! `localauthority … revoke`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::localauthority::v1::{RevokeJwtAuthorityRequest, RevokeX509AuthorityRequest};

use super::super::{SOCKET, command};
use super::{client, named, print};
use crate::fault::Fault;
use crate::output;
use crate::pretty::authority::Family;
use crate::terminal::Terminal;

const FLAGS: &[Flag] = &[Flag::text("authorityID", "The authority ID of the authority to revoke")];

pub(in super::super) static X509: Command = command(
    "localauthority x509 revoke",
    "Drops the tainted X.509 authority from the bundle",
    &[SOCKET, output::FLAGS, FLAGS],
)
.with(&[Example::new("The last: trust the old one no more", "-authorityID 7d2e41")]);

pub(in super::super) static JWT: Command = command(
    "localauthority jwt revoke",
    "Drops a tainted JWT authority from the bundle",
    &[SOCKET, output::FLAGS, FLAGS],
)
.with(&[Example::new("The last: trust the old one no more", "-authorityID m3Ks8T")]);

pub(in super::super) async fn x509(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let request = RevokeX509AuthorityRequest { authority_id: named(values)? };
    let answer = client(values, terminal).await?.revoke_x509_authority(request).await;
    let answer = answer.map_err(Fault::call("could not revoke X.509 authority: "))?.into_inner();
    print(values, terminal, &answer, "Revoked", Family::X509, answer.revoked_authority.as_ref())
}

pub(in super::super) async fn jwt(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let request = RevokeJwtAuthorityRequest { authority_id: named(values)? };
    let answer = client(values, terminal).await?.revoke_jwt_authority(request).await;
    let answer = answer.map_err(Fault::call("could not revoke JWT authority: "))?.into_inner();
    print(values, terminal, &answer, "Revoked", Family::Jwt, answer.revoked_authority.as_ref())
}

//! `upstreamauthority …`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::localauthority::v1::{
    RevokeX509UpstreamAuthorityRequest, TaintX509UpstreamAuthorityRequest,
};

use super::super::{SOCKET, command};
use super::client;
use crate::fault::Fault;
use crate::json::ToJson;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;

const FLAGS: &[Flag] = &[Flag::text(
    "subjectKeyID",
    "The subject key ID, in hexadecimal, of the upstream authority's CA certificate",
)];

pub(in super::super) static TAINT: Command = command(
    "upstreamauthority taint",
    "Marks the X.509 upstream authority that signed the old authority as tainted",
    &[SOCKET, output::FLAGS, FLAGS],
)
.with(&[Example::new("Make everyone renew what hangs on it", "-subjectKeyID 0bd3a7")]);

pub(in super::super) static REVOKE: Command = command(
    "upstreamauthority revoke",
    "Drops a tainted X.509 upstream authority from the bundle",
    &[SOCKET, output::FLAGS, FLAGS],
)
.with(&[Example::new("Trust it no more", "-subjectKeyID 0bd3a7")]);

pub(in super::super) async fn taint(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let request = TaintX509UpstreamAuthorityRequest { subject_key_id: named(values)? };
    let answer = client(values, terminal).await?.taint_x509_upstream_authority(request).await;
    let answer = answer.map_err(Fault::call("could not taint X.509 upstream authority: "))?.into_inner();
    print(values, terminal, &answer, "Tainted", &answer.upstream_authority_subject_key_id)
}

pub(in super::super) async fn revoke(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let request = RevokeX509UpstreamAuthorityRequest { subject_key_id: named(values)? };
    let answer = client(values, terminal).await?.revoke_x509_upstream_authority(request).await;
    let answer = answer.map_err(Fault::call("could not revoke X.509 upstream authority: "))?.into_inner();
    print(values, terminal, &answer, "Revoked", &answer.upstream_authority_subject_key_id)
}

fn named(values: &Values) -> Result<String, Fault> {
    let id = values.nonempty("subjectKeyID").ok_or_else(|| {
        Fault::Usage(
            "the Subject Key ID of the X.509 upstream authority is required; name it with -subjectKeyID \
             (`localauthority x509 show` lists it)"
                .to_owned(),
        )
    })?;
    Ok(id.to_owned())
}

fn print(
    values: &Values,
    terminal: &mut Terminal<'_>,
    answer: &impl ToJson,
    done: &str,
    id: &str,
) -> Result<(), Fault> {
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, answer.to_json())?);
    }
    Ok(write!(terminal.out, "{done} X.509 upstream authority:\n  Subject Key ID: {id}\n")?)
}

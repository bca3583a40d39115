//! `api validate jwt`.

use kit::flags::{Command, Example, Flag, Values};
use proto::workload::ValidateJwtsvidRequest;
use tonic::Code;

use super::{SOCKET, TIMEOUT, command, dial, request, within};
use crate::fault::Fault;
use crate::json::{ToJson as _, structure};
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;

const FLAGS: &[Flag] =
    &[Flag::text("audience", "The audience that the token has to be for"), Flag::text("svid", "The token")];

pub(super) static COMMAND: Command = command(
    "api validate jwt",
    "Validates a JWT-SVID with the Workload API",
    &[SOCKET, TIMEOUT, output::FLAGS, FLAGS],
)
.with(&[Example::new(
    "A token that came with a request",
    "-audience https://api.example.org -svid \"$TOKEN\"",
)]);

pub(super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let needed = |flag: &str, why: &str| {
        values
            .nonempty(flag)
            .map(str::to_owned)
            .ok_or_else(|| Fault::Usage(format!("{flag} must be specified; {why}")))
    };
    let audience = needed("audience", "say with -audience whom the token has to be for")?;
    let svid = needed("svid", "give the token with -svid")?;

    let mut client = dial(values, terminal).await?;
    let call = client.validate_jwtsvid(request(ValidateJwtsvidRequest { audience, svid }));
    let answer = within(values.duration("timeout"), "unable to validate JWT SVID: ", call).await;
    let answer = answer.map_err(refusal)?.into_inner();
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, answer.to_json())?);
    }
    writeln!(terminal.out, "SVID is valid.")?;
    writeln!(terminal.out, "SPIFFE ID : {}", answer.spiffe_id)?;
    write!(terminal.out, "Claims    : ")?;
    Ok(print_json(terminal.out, structure(&answer.claims.unwrap_or_default()))?)
}

/// A token that does not hold is an answer, not a failure of the call.
fn refusal(fault: Fault) -> Fault {
    match fault {
        Fault::Call { status, .. } if status.code() == Code::InvalidArgument => {
            Fault::Refused(format!("SVID is not valid: {}", status.message()))
        }
        other => other,
    }
}

//! `api fetch jwt`.

use kit::flags::{Command, Example, Flag, Values};
use proto::workload::{JwtBundlesRequest, JwtBundlesResponse, JwtsvidRequest, JwtsvidResponse};
use serde_json::json;

use super::{SOCKET, TIMEOUT, command, dial, first, request, within};
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;

const FLAGS: &[Flag] = &[
    Flag::list("audience", "The audience, or several with commas between them"),
    Flag::text("spiffeID", "The SPIFFE ID to get a token for; all of the workload's where this is absent"),
    Flag::choice("format", &["", "pretty", "json", "prettyprint"], "The old name of -output"),
];

pub(super) static COMMAND: Command = command(
    "api fetch jwt",
    "Fetches JWT-SVIDs from the Workload API",
    &[SOCKET, TIMEOUT, output::FLAGS, FLAGS],
)
.with(&[Example::new(
    "One token",
    "-audience https://api.example.org -spiffeID spiffe://example.org/script",
)]);

pub(super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let form = form(values)?;
    // The last of several flags counts, as in SPIRE; commas make a list.
    let audience: Vec<String> = values
        .list("audience")
        .last()
        .map(|list| list.split(',').map(str::to_owned).collect())
        .unwrap_or_default();
    if audience.iter().all(String::is_empty) {
        return Err(Fault::Usage(
            "audience must be specified; say with -audience whom the token is for".to_owned(),
        ));
    }

    let limit = values.duration("timeout");
    let mut client = dial(values, terminal).await?;
    let bundles =
        async { first(client.fetch_jwt_bundles(request(JwtBundlesRequest {})).await?.into_inner()).await };
    let bundles = within(limit, "failed to receive JWT bundles: ", bundles).await?;
    let wanted = JwtsvidRequest { audience, spiffe_id: values.text("spiffeID").to_owned() };
    let svids = within(limit, "", client.fetch_jwtsvid(request(wanted))).await?.into_inner();
    match form {
        Form::Json => print_json(terminal.out, json!([svids.to_json(), bundles.to_json()]))?,
        Form::Pretty => print(&svids, &bundles, terminal)?,
    }
    Ok(())
}

/// `-format` is another name of `-output`; both may stand there where they agree.
fn form(values: &Values) -> Result<Form, Fault> {
    let old = output::named(values.text("format"));
    if !values.given("format") {
        return Ok(output::form(values));
    }
    if values.given("output") && old != output::form(values) {
        return Err(Fault::Usage(
            "-format and -output ask for different forms; leave -format out".to_owned(),
        ));
    }
    Ok(old)
}

fn print(
    svids: &JwtsvidResponse,
    bundles: &JwtBundlesResponse,
    terminal: &mut Terminal<'_>,
) -> std::io::Result<()> {
    for svid in &svids.svids {
        writeln!(terminal.out, "token({}):\n\t{}", svid.spiffe_id, svid.svid)?;
        if !svid.hint.is_empty() {
            writeln!(terminal.out, "hint({}):\n\t{}", svid.spiffe_id, svid.hint)?;
        }
    }
    for (trust_domain, keys) in &bundles.bundles {
        writeln!(terminal.out, "bundle({trust_domain}):\n\t{}", String::from_utf8_lossy(keys))?;
    }
    Ok(())
}

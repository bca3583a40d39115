//! `jwt mint`.

use std::path::PathBuf;

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::svid::v1::MintJwtsvidRequest;
use proto::spire::api::server::svid::v1::svid_client::SvidClient;

use super::{SOCKET, command, dial};
use crate::fault::Fault;
use crate::file::{self, Readers};
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::pretty::svid::{capped, expiry};
use crate::terminal::Terminal;
use crate::{parse, text};

const FLAGS: &[Flag] = &[
    Flag::text("spiffeID", "The SPIFFE ID of the token"),
    Flag::duration("ttl", "How long the token lives; 0s for the server's default"),
    Flag::list("audience", "An audience of the token; may stand several times"),
    Flag::file("write", "The file to write the token to, instead of printing it"),
];

pub(super) static COMMAND: Command =
    command("jwt mint", "Mints a JWT-SVID without an entry", &[SOCKET, output::FLAGS, FLAGS]).with(&[
        Example::new(
            "A token for a script, for ten minutes",
            "-spiffeID spiffe://example.org/script -audience https://api.example.org -ttl 10m",
        ),
    ]);

pub(super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let id = values.nonempty("spiffeID").ok_or_else(|| {
        Fault::Usage("spiffeID must be specified; say with -spiffeID whose token it is".to_owned())
    })?;
    let audience = values.list("audience").to_vec();
    if audience.is_empty() {
        return Err(Fault::Usage(
            "at least one audience must be specified; give it with -audience".to_owned(),
        ));
    }
    let ttl = values.duration("ttl");
    let request = MintJwtsvidRequest {
        id: Some(parse::message(&parse::id("SPIFFE ID", id)?)),
        audience,
        ttl: parse::whole_seconds("TTL", ttl)?,
    };

    let mut client = SvidClient::new(dial(values, terminal).await?);
    let answer =
        client.mint_jwtsvid(request).await.map_err(Fault::call("unable to mint SVID: "))?.into_inner();
    let token = answer.svid.as_ref().map(|svid| svid.token.clone()).filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Fault::Answer("there is no token in it".to_owned()))?;
    match expiry(&token) {
        Some(end) if capped(end, ttl, terminal.clock.now()) => writeln!(
            terminal.err,
            "JWT-SVID lifetime was capped shorter than specified ttl; expires {:?}",
            text::rfc3339(end)
        )?,
        Some(_) => {}
        None => writeln!(terminal.err, "Unable to determine JWT-SVID lifetime: the token has no exp claim")?,
    }

    if let Some(path) = values.nonempty("write").map(PathBuf::from) {
        file::write(&path, token.as_bytes(), Readers::Owner)?;
        return Ok(writeln!(terminal.out, "JWT-SVID written to {}", path.display())?);
    }
    match output::form(values) {
        Form::Json => print_json(terminal.out, answer.to_json())?,
        Form::Pretty => writeln!(terminal.out, "{token}")?,
    }
    Ok(())
}

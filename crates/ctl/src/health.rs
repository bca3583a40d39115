//! Asks a program for its health.

use std::path::Path;
use std::time::Duration;

use kit::flags::{Flag, Values};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::connect::{Peer, connect};
use crate::fault::Fault;
use crate::status;
use crate::terminal::Terminal;

/// The flags of a health check.
pub(crate) const FLAGS: &[Flag] = &[
    Flag::switch("shallow", "Accepted for SPIRE's sake; the check is the same"),
    Flag::switch("verbose", "Tell what is being done"),
];

/// How long to wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Succeeds, and says so, where the peer is healthy.
pub(crate) async fn check(
    peer: Peer,
    path: &Path,
    values: &Values,
    terminal: &mut Terminal<'_>,
) -> Result<(), Fault> {
    let name = peer.name();
    if values.switch("verbose") {
        writeln!(terminal.out, "Checking {name} health...")?;
    }
    let subject = match peer {
        Peer::Server => name.to_owned(),
        // Nothing stands before it, so it begins the sentence.
        Peer::Agent => capitalized(name),
    };
    let unknown = |why: String, hint| {
        Fault::Unhealthy(format!("{subject} is unhealthy: unable to determine health: {why}"), hint)
    };

    let channel = connect(peer, path).await.map_err(|e| unknown(e.to_string(), Some(e.hint())))?;
    let request = HealthCheckRequest { service: String::new() };
    let mut client = HealthClient::new(channel);
    let answer = tokio::time::timeout(PATIENCE, client.check(request)).await.map_err(|_| {
        let why = format!("there was no answer within {} s", PATIENCE.as_secs());
        unknown(why, Some(format!("the {name} is stuck or overloaded; look into its log")))
    })?;
    let answer = answer.map_err(|status| {
        let hint = Fault::call("")(status.clone()).hint();
        unknown(status::line(&status), hint)
    })?;
    let found = answer.into_inner().status();
    if found == ServingStatus::Serving {
        return Ok(writeln!(terminal.out, "{} is healthy.", capitalized(name))?);
    }
    Err(Fault::Unhealthy(
        format!("{subject} is unhealthy: {name} returned status {:?}", found.as_str_name()),
        Some(format!("the {name}'s log says what it waits for")),
    ))
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

//! `api watch`.

use std::time::{Duration, SystemTime};

use kit::flags::{Command, Example, Values};
use proto::workload::X509svidRequest;
use tonic::Code;

use super::received::{print, read};
use super::{SOCKET, command, dial, request};
use crate::fault::Fault;
use crate::terminal::Terminal;

/// The wait before the first new attempt; it doubles with each that fails.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

pub(super) static COMMAND: Command =
    command("api watch", "Prints X.509-SVIDs from the Workload API, again at every change", &[SOCKET])
        .with(&[Example::new("Each renewal as it comes", "")]);

/// Watches until it is interrupted; as in SPIRE that is no success, but the only end there is.
pub(super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    tokio::select! {
        // An update that is half printed when the signal comes is lost with the terminal's interest in it.
        _ = tokio::signal::ctrl_c() => Err(Fault::Interrupted),
        ended = watch(values, terminal) => ended,
    }
}

async fn watch(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let mut since = terminal.clock.now();
    let mut wait = FIRST_WAIT;
    loop {
        let before = since;
        let Err(fault) = follow(values, &mut since, terminal).await else { continue };
        match &fault {
            Fault::Print(_) | Fault::Socket(_) => return Err(fault),
            // The agent will say the same again: the request itself is wrong.
            Fault::Call { status, .. } if status.code() == Code::InvalidArgument => return Err(fault),
            _ => {}
        }
        if since != before {
            wait = FIRST_WAIT;
        }
        writeln!(terminal.err, "{fault}")?;
        if let Some(hint) = fault.hint() {
            writeln!(terminal.err, "Hint: {hint}")?;
        }
        writeln!(terminal.err, "Trying again in {} s", wait.as_secs())?;
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Prints what one stream brings, until it ends.
async fn follow(values: &Values, since: &mut SystemTime, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let mut client = dial(values, terminal).await?;
    let call = client.fetch_x509svid(request(X509svidRequest {})).await;
    let mut stream = call.map_err(Fault::call(""))?.into_inner();
    loop {
        let message = stream.message().await.map_err(Fault::call(""))?;
        let message = message
            .ok_or_else(|| Fault::call("")(tonic::Status::unavailable("the agent ended the stream")))?;
        let now = terminal.clock.now();
        print(&read(&message, now)?, now.duration_since(*since).unwrap_or_default(), terminal.out)?;
        terminal.out.flush()?;
        *since = now;
    }
}

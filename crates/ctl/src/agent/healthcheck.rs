//! `healthcheck`.

use kit::flags::{Command, Example, Values};

use super::{SOCKET, command, socket};
use crate::connect::Peer;
use crate::fault::Fault;
use crate::health;
use crate::terminal::Terminal;

pub(super) static COMMAND: Command =
    command("healthcheck", "Tells whether the agent is healthy", &[SOCKET, health::FLAGS])
        .with(&[Example::new("Say what is asked, and what is answered", "-verbose")]);

pub(super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let path = socket(values, terminal)?;
    health::check(Peer::Agent, &path, values, terminal).await
}

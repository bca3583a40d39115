//! `healthcheck`.

use kit::flags::{Command, Example, Values};

use super::{SOCKET, VARIABLES, command};
use crate::connect::Peer;
use crate::fault::Fault;
use crate::health;
use crate::terminal::Terminal;

pub(super) static COMMAND: Command =
    command("healthcheck", "Tells whether the server is healthy", &[SOCKET, health::FLAGS])
        .with(&[Example::new("Say what is asked, and what is answered", "-verbose")]);

pub(super) async fn run(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let path = VARIABLES.resolve(values, terminal.environment)?;
    health::check(Peer::Server, &path, values, terminal).await
}

//! Whose server, agent or command to run: the two speak one wire and read one kind of configuration.

use std::process::Command;

use crate::locate;
use crate::skip::Missing;

/// An implementation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The program under test.
    Bonafide,
    /// SPIRE's own binaries, from `SPIRE_BIN`.
    Spire,
}

impl Program {
    /// Says whether it is there; a test asks this first and skips with the answer.
    ///
    /// # Errors
    /// [`Missing::Peer`] for SPIRE without `SPIRE_BIN`.
    pub fn available(self) -> Result<(), Missing> {
        match self {
            Self::Bonafide => Ok(()),
            Self::Spire => locate::spire("spire-server").map(drop),
        }
    }

    /// Its server, to be given a command.
    #[must_use]
    pub fn server(self) -> Command {
        match self {
            Self::Bonafide => bonafide("server"),
            Self::Spire => spire("spire-server"),
        }
    }

    pub(crate) fn agent(self) -> Command {
        match self {
            Self::Bonafide => bonafide("agent"),
            Self::Spire => spire("spire-agent"),
        }
    }
}

fn bonafide(role: &str) -> Command {
    let mut command = Command::new(locate::bonafide());
    command.arg(role);
    command
}

fn spire(program: &str) -> Command {
    Command::new(locate::spire(program).expect("a test asks Program::available first"))
}

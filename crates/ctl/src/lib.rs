//! The commands that are clients of server and agent, over their Unix sockets and the public wire alone; so they work
//! with SPIRE's server and agent too. Flags, printed forms, JSON and exit codes are those of SPIRE 1.16.
//!
//! [`server`] and [`agent`] read a whole command line. A program adds the commands that it runs itself (such as
//! `run` and `validate`) to the table, so that help shows them, and gets them back as [`Outcome::Host`].

mod agent;
mod connect;
mod credentials;
mod document;
mod fault;
mod file;
mod health;
mod json;
mod output;
mod parse;
mod pretty;
mod server;
mod status;
mod terminal;
mod text;

use std::future::Future;
use std::pin::Pin;

use kit::flags::{Command, Program, Reading, Values};

pub use connect::{ConnectError, Peer, connect};
use fault::Fault;
pub use terminal::Terminal;

/// A command that is being run.
type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Fault>> + 'a>>;

/// A program's commands, each with what runs it.
type Table = &'static [(&'static Command, for<'a> fn(&'a Values, &'a mut Terminal<'_>) -> Running<'a>)];

/// A program that has our commands and its own.
#[derive(Clone, Debug)]
pub struct Host {
    /// What the program calls itself in its help, such as `spire-server`.
    pub name: &'static str,
    /// What `-version` prints.
    pub version: String,
    /// The commands that the program runs itself.
    pub commands: &'static [Command],
}

/// What became of a command line.
#[derive(Debug)]
pub enum Outcome {
    /// It is done; end with this exit code.
    Exit(u8),
    /// It asks for one of the program's own commands.
    Host(&'static Command, Values),
}

/// The commands of a server's clients.
pub fn server_commands() -> impl Iterator<Item = &'static Command> {
    server::TABLE.iter().map(|(command, _)| *command)
}

/// The commands of an agent's clients.
pub fn agent_commands() -> impl Iterator<Item = &'static Command> {
    agent::TABLE.iter().map(|(command, _)| *command)
}

/// Does what a command line of the server's program asks for; `arguments` are without the program's own name.
pub fn server(host: &Host, arguments: &[String], terminal: &mut Terminal<'_>) -> Outcome {
    dispatch(server::TABLE, "Error: ", host, arguments, terminal)
}

/// Does what a command line of the agent's program asks for; `arguments` are without the program's own name.
pub fn agent(host: &Host, arguments: &[String], terminal: &mut Terminal<'_>) -> Outcome {
    dispatch(agent::TABLE, "", host, arguments, terminal)
}

/// SPIRE's server commands put a word before an error, its agent commands do not.
fn dispatch(
    table: Table,
    prefix: &str,
    host: &Host,
    arguments: &[String],
    terminal: &mut Terminal<'_>,
) -> Outcome {
    let commands = table.iter().map(|(command, _)| *command).chain(host.commands).collect();
    let program = Program { name: host.name, version: host.version.clone(), commands };
    let (command, values) = match program.read(arguments) {
        Reading::Say { text, code } => {
            // Where the standard error output is gone, the exit code has to do.
            let _ = write!(terminal.err, "{text}");
            return Outcome::Exit(code);
        }
        Reading::Run(command, values) => (command, values),
    };
    warn_of_rest(&values, terminal);
    let Some((_, run)) = table.iter().find(|(known, _)| *known == command) else {
        return Outcome::Host(command, values);
    };
    match block_on(run(&values, terminal)) {
        Ok(()) => Outcome::Exit(0),
        Err(fault) => {
            let _ = writeln!(terminal.err, "{prefix}{fault}");
            if let Some(hint) = fault.hint() {
                let _ = writeln!(terminal.err, "Hint: {hint}");
            }
            Outcome::Exit(1)
        }
    }
}

/// Flags after a stray word are not read, in Go as here; a command that silently lacks them surprises.
fn warn_of_rest(values: &Values, terminal: &mut Terminal<'_>) {
    if let [first, others @ ..] = values.rest() {
        let more = if others.is_empty() { "" } else { ", and so is everything after it" };
        let _ = writeln!(
            terminal.err,
            "Warning: {first:?} is no flag and is ignored{more} (a switch takes its value after an equals sign: -name=false)"
        );
    }
}

fn block_on(running: Running<'_>) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| Fault::Make { what: "a runtime", cause: e.to_string() })?.block_on(running)
}

#[cfg(test)]
mod tests;

//! The commands that the program runs itself, beside those of `ctl`.

use std::process::ExitCode;

use ctl::Host;
use kit::flags::{Command, Example, Flag, Program, Reading};

/// One of the two roles with its commands.
pub(crate) struct Role {
    pub(crate) server: bool,
    pub(crate) host: Host,
}

const LEVELS: &[&str] = &["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "PANIC"];

const SERVER_RUN: &[Flag] = &[
    Flag::text("bindAddress", "IP address or DNS name of the server"),
    Flag::file("config", "Path to the server's configuration file").or(config::server::DEFAULT_PATH),
    Flag::folder("dataDir", "Directory for the server's runtime data"),
    Flag::switch("expandEnv", "Expand $NAME and ${NAME} in the configuration file"),
    Flag::file("logFile", "File to write logs to"),
    Flag::text("logFormat", "Log format: text or json").offering(&["text", "json"]),
    Flag::text("logLevel", "DEBUG, INFO, WARN or ERROR").offering(LEVELS),
    Flag::switch("logSourceLocation", "Log the file and line of each message"),
    Flag::integer("serverPort", "Port of the server"),
    Flag::file("socketPath", "Path of the admin socket"),
    Flag::text("trustDomain", "The trust domain that the server serves"),
];

const AGENT_RUN: &[Flag] = &[
    Flag::switch("allowUnauthenticatedVerifiers", "Let unregistered callers fetch X.509 bundles"),
    Flag::file("config", "Path to the agent's configuration file").or(config::agent::DEFAULT_PATH),
    Flag::folder("dataDir", "Directory for the agent's runtime data"),
    Flag::switch("disableSDSAPI", "Do not serve SDS on the socket"),
    Flag::switch("disableWorkloadAPI", "Do not serve the Workload API on the socket"),
    Flag::switch("expandEnv", "Expand $NAME and ${NAME} in the configuration file"),
    Flag::switch("insecureBootstrap", "Trust the first server that answers"),
    Flag::text("joinToken", "Join token to attest with"),
    Flag::file("joinTokenFile", "File that holds the join token to attest with"),
    Flag::file("logFile", "File to write logs to"),
    Flag::text("logFormat", "Log format: text or json").offering(&["text", "json"]),
    Flag::text("logLevel", "DEBUG, INFO, WARN or ERROR").offering(LEVELS),
    Flag::switch("logSourceLocation", "Log the file and line of each message"),
    Flag::text("rebootstrapDelay", "How long an unknown authority is waited out before bootstrapping anew"),
    Flag::text("rebootstrapMode", "never, auto or always").offering(&["never", "auto", "always"]),
    Flag::text("serverAddress", "IP address or DNS name of the server"),
    Flag::integer("serverPort", "Port of the server"),
    Flag::file("socketPath", "Path of the Workload API's socket"),
    Flag::file("trustBundle", "Path of the bundle to bootstrap with"),
    Flag::text("trustBundleFormat", "Format of that bundle: pem or spiffe").offering(&["pem", "spiffe"]),
    Flag::text("trustBundleUrl", "URL of the bundle to bootstrap with"),
    Flag::text("trustDomain", "The trust domain that the agent belongs to"),
];

const SERVER: &[Command] = &[
    Command::new("run", "Runs the server", &[SERVER_RUN]).with(&[
        Example::new(
            "With a file, and a log that says more than it asks for",
            "-config server.conf -logLevel DEBUG",
        ),
        Example::new("With values of the environment in the file", "-config server.conf -expandEnv"),
    ]),
    Command::new("validate", "Checks a server's configuration file and reports every mistake", &[SERVER_RUN])
        .with(&[Example::new("Before a restart", "-config server.conf")]),
];

const AGENT: &[Command] = &[
    Command::new("run", "Runs the agent", &[AGENT_RUN]).with(&[
        Example::new("The first time, with a token from the server", "-config agent.conf -joinToken TOKEN"),
        Example::new("Later", "-config agent.conf"),
    ]),
    Command::new("validate", "Checks an agent's configuration file and reports every mistake", &[AGENT_RUN])
        .with(&[Example::new("Before a restart", "-config agent.conf")]),
];

/// What `-version` prints.
pub(crate) fn version() -> String {
    format!("bonafide {}", env!("CARGO_PKG_VERSION"))
}

/// The server's program, under the name it was called by.
pub(crate) fn server(name: &'static str) -> Role {
    Role { server: true, host: Host { name, version: version(), commands: SERVER } }
}

/// The agent's program, under the name it was called by.
pub(crate) fn agent(name: &'static str) -> Role {
    Role { server: false, host: Host { name, version: version(), commands: AGENT } }
}

/// The roles as rows of the program's own help; what follows them is read by the role.
const ROLES: &[Command] = &[
    Command::new("server", "Runs a server, and commands that speak to one (server -h)", &[]),
    Command::new("agent", "Runs an agent, and commands that speak to one (agent -h)", &[]),
    Command::new("load", "Puts load on a server or an agent and reports (load -h)", &[]),
];

/// The program itself, without a role.
pub(crate) fn bonafide() -> Program {
    let own = [&crate::up::COMMAND, &crate::manual::COMMAND].into_iter().chain(crate::completion::COMMANDS);
    Program { name: "bonafide", version: version(), commands: ROLES.iter().chain(own).collect() }
}

impl Role {
    /// All commands of the role, its clients' included.
    pub(crate) fn program(&self) -> Program {
        let clients: Vec<_> = match self.server {
            true => ctl::server_commands().collect(),
            false => ctl::agent_commands().collect(),
        };
        let commands = clients.into_iter().chain(self.host.commands).collect();
        Program { name: self.host.name, version: version(), commands }
    }
}

/// The program's own command line, without a role.
#[allow(clippy::print_stderr)] // this is where a person reads
pub(crate) fn top(arguments: &[String]) -> ExitCode {
    match bonafide().read(arguments) {
        Reading::Say { text, code } => {
            eprint!("{text}");
            ExitCode::from(code)
        }
        // The roles are taken apart before.
        Reading::Run(command, values) => match command.path {
            "up" => crate::up::main(&values),
            "man" => crate::manual::main(&values),
            _ => crate::completion::main(command, &values),
        },
    }
}

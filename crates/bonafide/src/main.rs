//! The program: a subcommand for each role. Called as `spire-server` or `spire-agent` it is that program.
//!
//! Nothing is decided here: files and flags become settings, settings choose adapters, engines run until told to stop.

mod agent;
mod command;
mod completion;
mod demo;
mod external;
mod health;
mod manual;
mod node_attestors;
mod profiling;
mod reload;
mod server;
mod signals;
mod start;
mod telemetry;
mod up;
mod upstream;
mod workload;

use std::io;
use std::process::ExitCode;

use ctl::{Outcome, Terminal};

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    let name = if arguments.is_empty() { String::new() } else { arguments.remove(0) };
    let role = match name.rsplit('/').next().unwrap_or_default() {
        "spire-server" => Some((true, "spire-server")),
        "spire-agent" => Some((false, "spire-agent")),
        _ => None,
    };
    if arguments.first().is_some_and(|first| first == completion::ASKED_BY_SHELLS) {
        return completion::answer(role, arguments.get(1..).unwrap_or_default());
    }
    match (role, arguments.first().map(String::as_str)) {
        (Some((true, name)), _) => run(command::server(name), &arguments),
        (Some((false, name)), _) => run(command::agent(name), &arguments),
        (None, Some("server")) => {
            run(command::server("bonafide server"), arguments.get(1..).unwrap_or_default())
        }
        (None, Some("agent")) => {
            run(command::agent("bonafide agent"), arguments.get(1..).unwrap_or_default())
        }
        (None, Some("load")) => load::main(arguments.get(1..).unwrap_or_default()),
        (None, Some("demo")) => demo::main(arguments.get(1..).unwrap_or_default()),
        (None, _) => command::top(&arguments),
    }
}

/// Runs a command line: a client's command at once, one of the program's own here.
fn run(program: command::Role, arguments: &[String]) -> ExitCode {
    let (mut input, mut out, mut err) = (io::stdin().lock(), io::stdout().lock(), io::stderr());
    let mut terminal = Terminal {
        input: &mut input,
        out: &mut out,
        err: &mut err,
        environment: &|name| std::env::var(name).ok(),
        clock: kit::clock::Clock::system(),
    };
    let outcome = match program.server {
        true => ctl::server(&program.host, arguments, &mut terminal),
        false => ctl::agent(&program.host, arguments, &mut terminal),
    };
    let _ = terminal.out.flush();
    drop(out);
    match outcome {
        Outcome::Exit(code) => ExitCode::from(code),
        Outcome::Host(command, values) => match (program.server, command.path) {
            (true, "run") => start::finish(server::run(&values)),
            (true, _) => server::validate(&values),
            (false, "run") => start::finish(agent::run(&values)),
            (false, _) => agent::validate(&values),
        },
    }
}

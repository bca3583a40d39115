//! `man`: manual pages of the program and its roles.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use kit::clock::Clock;
use kit::flags::{Command, Example, Flag, Manual, Program, Values};

use crate::command;
use crate::start::{self, Failure};

const FLAGS: &[Flag] = &[
    Flag::choice(
        "page",
        PAGES,
        "The page to print: bonafide, bonafide-server, bonafide-agent or bonafide-load",
    ),
    Flag::folder("dir", "Folder to write all pages to, each as NAME.1, instead of printing one"),
];

const PAGES: &[&str] = &["bonafide", "bonafide-server", "bonafide-agent", "bonafide-load"];

/// The row of the program's help.
pub(crate) static COMMAND: Command =
    Command::new("man", "Prints a manual page, or writes all of them", &[FLAGS]).with(&[
        Example::new("Read a page", "-page bonafide-server | man -l -"),
        Example::new("Install them for all users", "-dir /usr/local/share/man/man1"),
    ]);

/// Prints a page, or writes all.
pub(crate) fn main(values: &Values) -> ExitCode {
    let date = date(Clock::system().now());
    start::finish(match values.nonempty("dir") {
        Some(folder) => write_all(Path::new(folder), &date),
        None => print(values.text("page"), &date),
    })
}

fn print(name: &str, date: &str) -> Result<(), Failure> {
    let page = page(name, date);
    let mut out = std::io::stdout().lock();
    Ok(out.write_all(page.as_bytes()).and_then(|()| out.flush())?)
}

fn write_all(folder: &Path, date: &str) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)
        .map_err(|e| format!("cannot make the folder {}: {e}", folder.display()))?;
    for name in PAGES {
        let path = folder.join(format!("{name}.1"));
        std::fs::write(&path, page(name, date))
            .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    Ok(())
}

/// The text of a page.
fn page(name: &str, date: &str) -> String {
    let program = program(name);
    let manual = Manual { program: &program, date, ..said(name, &program) };
    manual.page()
}

fn program(name: &str) -> Program {
    match name {
        "bonafide-server" => command::server("bonafide server").program(),
        "bonafide-agent" => command::agent("bonafide agent").program(),
        "bonafide-load" => load::program(),
        _ => command::bonafide(),
    }
}

const ADMIN: (&str, &str) =
    ("SPIRE_SERVER_PRIVATE_SOCKET", "The socket of the server's local API, where -socketPath is absent");
const ADMIN_TEMPLATE: (&str, &str) = (
    "SPIRE_SERVER_PRIVATE_SOCKET_TEMPLATE",
    "Its path with %i for the name that -instance gives, as in /run/spire/%i/private/api.sock",
);
const PUBLIC: (&str, &str) =
    ("SPIRE_AGENT_PUBLIC_SOCKET", "The socket of the agent's Workload API, where -socketPath is absent");
const PUBLIC_TEMPLATE: (&str, &str) =
    ("SPIRE_AGENT_PUBLIC_SOCKET_TEMPLATE", "Its path with %i for the name that -instance gives");

/// What a page says beside its commands.
fn said<'a>(name: &str, program: &'a Program) -> Manual<'a> {
    let page = Manual {
        program,
        about: "",
        description: &[],
        environment: &[],
        files: &[],
        see_also: &[],
        date: "",
    };
    match name {
        "bonafide-server" => Manual {
            about: "issue SPIFFE identities to nodes and workloads",
            description: &[
                "The server is the authority of a trust domain. It keeps the registry of who may have which identity, \
                 attests agents, and signs X.509-SVIDs and JWT-SVIDs. It reads SPIRE's configuration files and speaks \
                 SPIRE's protocols.",
                "The command run is the server itself; validate checks a configuration file and reports every mistake \
                 with its line and column; all others ask a running server over its local socket.",
                "Called by the name spire-server the program has these same commands.",
            ],
            environment: &[ADMIN, ADMIN_TEMPLATE],
            files: &[
                (
                    config::server::DEFAULT_PATH,
                    "The configuration that run and validate read unless -config names another",
                ),
                (
                    config::server::DEFAULT_SOCKET,
                    "The socket of the local API unless the configuration names another",
                ),
            ],
            see_also: &["bonafide", "bonafide-agent", "bonafide-load"],
            ..page
        },
        "bonafide-agent" => Manual {
            about: "hand SPIFFE identities to the workloads of a node",
            description: &[
                "The agent runs on each node. It proves to the server which node it is, learns which identities the \
                 workloads there may have, and serves them over the Workload API to the processes that it recognises.",
                "The command run is the agent itself; validate checks a configuration file and reports every mistake \
                 with its line and column; all others ask a running agent over its socket, as a workload would.",
                "Called by the name spire-agent the program has these same commands.",
            ],
            environment: &[
                PUBLIC,
                PUBLIC_TEMPLATE,
                ("HOST_PROC", "Where the process file system of the host is mounted, if that is not /proc"),
            ],
            files: &[
                (
                    config::agent::DEFAULT_PATH,
                    "The configuration that run and validate read unless -config names another",
                ),
                (
                    config::agent::DEFAULT_SOCKET,
                    "The socket of the Workload API unless the configuration names another",
                ),
            ],
            see_also: &["bonafide", "bonafide-server"],
            ..page
        },
        "bonafide-load" => Manual {
            about: "put load on a server or an agent and report",
            description: &[
                "Measures rates, latencies and what they cost, over the same protocols that agents and workloads use. \
                 Each run is bounded in calls and in time, and removes what it has created.",
            ],
            see_also: &["bonafide", "bonafide-agent", "bonafide-server"],
            ..page
        },
        _ => Manual {
            about: "workload identity: server, agent and tools in one program",
            description: &[
                "Bonafide vouches for nodes and for the processes on them, and hands each process short-lived SPIFFE \
                 documents over a local socket. It stands in for SPIRE: same configuration, same protocols, same \
                 commands.",
                "The roles server, agent and load have commands of their own, each described in its own page.",
            ],
            environment: &[(
                "SOURCE_DATE_EPOCH",
                "The time that man dates its pages by, in seconds since 1970; now where it is absent",
            )],
            see_also: &["bonafide-agent", "bonafide-load", "bonafide-server"],
            ..page
        },
    }
}

/// The day of the page, as mdoc(7) wants it: of the build that `SOURCE_DATE_EPOCH` names, or today.
fn date(now: SystemTime) -> String {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse().ok());
    let at = epoch
        .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
        .unwrap_or(now);
    let day = time::OffsetDateTime::from(at);
    format!("{} {}, {}", day.month(), day.day(), day.year())
}

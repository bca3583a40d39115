//! The command lines.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kit::flags::{Command, Example, Flag, Values};
use spiffe::SpiffeId;

use crate::fault::Fault;
use crate::process::Process;
use crate::report::Report;
use crate::{agent, bench, credentials, crypto, polls, server, wire};

/// What can be asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Job {
    Server,
    Agent,
    Crypto,
    Credentials,
    Polls,
    Bench,
}

const OUTPUT: &[Flag] =
    &[Flag::choice("output", &["pretty", "json"], "The form of the report: pretty or json")];

const SERVER: &[Flag] = &[
    Flag::file("socketPath", "Path of the server's admin socket").or("/tmp/spire-server/private/api.sock"),
    Flag::text("serverAddress", "Address of the server").or("127.0.0.1:8081"),
    Flag::switch("allowRemote", "Load a server on another machine too"),
    Flag::integer("pid", "Process of the server, to report what it uses"),
    Flag::integer("callers", "How many call at once").or("16"),
    Flag::integer("connections", "How many connections they share").or("4"),
    Flag::duration("duration", "How long to ask for SVIDs of each kind; 0s leaves signing out").or("5s"),
    Flag::integer("entries", "How many entries to create; 0 leaves it out").or("5000"),
    Flag::switch("keep", "Leave the created entries in the server"),
];

const AGENT: &[Flag] = &[
    Flag::file("socketPath", "Path of the Workload API's socket").or("/tmp/spire-agent/public/api.sock"),
    Flag::file("serverSocketPath", "Path of the server's admin socket")
        .or("/tmp/spire-server/private/api.sock"),
    Flag::text(
        "parentID",
        "SPIFFE ID of the agent, or of an alias; the server's only agent where this is absent",
    ),
    Flag::integer("pid", "Process of the agent, to report what it uses"),
    Flag::list(
        "streams",
        "How many streams to hold open; may be repeated; 1, 100 and 1000 where this is absent",
    ),
    Flag::integer("width", "How many of them to open at once").or("50"),
    Flag::integer("rounds", "How often to follow an entry to a stream and away again; 0 leaves it out")
        .or("100"),
    Flag::list(
        "svids",
        "How many SVIDs to let the agent hold, to see its memory; needs -pid; may be repeated",
    ),
];

const POLLS: &[Flag] = &[
    Flag::file("socketPath", "Path of the server's admin socket").or("/tmp/spire-server/private/api.sock"),
    Flag::text("serverAddress", "Address of the server").or("127.0.0.1:8081"),
    Flag::switch("allowRemote", "Load a server on another machine too"),
    Flag::integer("pid", "Process of the server, to report what it uses"),
    Flag::integer("callers", "How many agents' calls at once").or("16"),
    Flag::duration("duration", "How long to ask each question").or("5s"),
    Flag::list(
        "entries",
        "How many entries the agent has; may be repeated; 10, 1000 and 100000 where this is absent",
    ),
];

const CRYPTO: &[Flag] = &[Flag::duration("duration", "How long to measure each part").or("2s")];

const CREDENTIALS: &[Flag] = &[
    Flag::duration("duration", "How long to measure each operation").or("1s"),
    Flag::file("write", "Page of benchmarks to put the report into, in Markdown"),
];

const BENCH: &[Flag] = &[
    Flag::choice(
        "part",
        &["all", "polls", "million", "rotation"],
        "What to measure: all but the last two, SPIRE's polling protocol, a server with a million entries, or a forced rotation",
    ),
    Flag::file("program", "The program to measure; this one where it is absent"),
    Flag::file("write", "File to write the report to, in Markdown"),
    Flag::integer("entries", "How many entries to start a server with").or("100000"),
    Flag::integer("svids", "How many SVIDs a forced rotation is to replace").or("10000"),
    Flag::duration("duration", "How long to ask for SVIDs of each kind").or("5s"),
];

/// All of them, each with what it asks for.
pub(crate) static TABLE: &[(Command, Job)] = &[
    (
        Command::new("server", "Loads a server: signatures and entries", &[SERVER, OUTPUT]).with(&[
            Example::new(
                "Signatures of a server on this machine, and what they cost",
                "-pid \"$(pidof spire-server)\" -entries 0",
            ),
        ]),
        Job::Server,
    ),
    (
        Command::new("agent", "Loads an agent: streams, and entries on their way to them", &[AGENT, OUTPUT])
            .with(&[Example::new("A hundred streams", "-streams 100")]),
        Job::Agent,
    ),
    (
        Command::new(
            "polls",
            "Loads a server with SPIRE's polling: which entries an agent has",
            &[POLLS, OUTPUT],
        )
        .with(&[Example::new("An agent with ten thousand entries", "-entries 10000")]),
        Job::Polls,
    ),
    (
        Command::new("crypto", "Measures the bare cryptography of SVIDs here", &[CRYPTO, OUTPUT])
            .with(&[Example::new("For a second each", "-duration 1s")]),
        Job::Crypto,
    ),
    (
        Command::new(
            "credentials",
            "Measures issuing, verifying and parsing here, beside the cryptography in it",
            &[CREDENTIALS, OUTPUT],
        )
        .with(&[Example::new("Into the document of this repository", "-write docs/benchmarks.md")]),
        Job::Credentials,
    ),
    (
        Command::new(
            "bench",
            "Starts a server and an agent of its own, and measures everything",
            &[BENCH, OUTPUT],
        )
        .with(&[Example::new("Into the document of this repository", "-write docs/benchmarks.md")]),
        Job::Bench,
    ),
];

/// Does what the flags say.
pub(crate) async fn run(job: Job, values: &Values) -> Result<Report, Fault> {
    match job {
        Job::Server => server::measure(&server_settings(values).await?).await,
        Job::Agent => agent::measure(&agent_settings(values)?).await,
        Job::Polls => polls::measure(&polls_settings(values).await?).await,
        Job::Crypto => crypto::measure(values.duration("duration")),
        Job::Credentials => {
            let report = credentials::measure(values.duration("duration").min(Duration::from_secs(60)))?;
            values.nonempty("write").map_or(Ok(()), |page| credentials::write(Path::new(page), &report))?;
            Ok(report)
        }
        Job::Bench => bench::run(&bench_settings(values)?).await,
    }
}

async fn server_settings(values: &Values) -> Result<server::Settings, Fault> {
    Ok(server::Settings {
        socket: path(values, "socketPath"),
        address: wire::address(values.text("serverAddress"), values.switch("allowRemote")).await?,
        process: Process::given(values.integer("pid"))?,
        callers: count(values, "callers", 1, 10_000)?,
        connections: count(values, "connections", 1, 1_000)?,
        duration: values.duration("duration").min(Duration::from_secs(600)),
        entries: count(values, "entries", 0, 1_000_000)? as u64,
        keep: values.switch("keep"),
    })
}

fn agent_settings(values: &Values) -> Result<agent::Settings, Fault> {
    let parent = values.nonempty("parentID").map(SpiffeId::parse).transpose().map_err(Fault::credentials)?;
    let streams = match values.list("streams") {
        [] => vec![1, 100, 1000],
        given => numbers("streams", given, 100_000)?,
    };
    Ok(agent::Settings {
        socket: path(values, "socketPath"),
        server_socket: path(values, "serverSocketPath"),
        parent,
        process: Process::given(values.integer("pid"))?,
        streams,
        width: count(values, "width", 1, 10_000)?,
        rounds: count(values, "rounds", 0, 100_000)?,
        svids: numbers("svids", values.list("svids"), 100_000)?,
    })
}

async fn polls_settings(values: &Values) -> Result<polls::Settings, Fault> {
    Ok(polls::Settings {
        socket: path(values, "socketPath"),
        address: wire::address(values.text("serverAddress"), values.switch("allowRemote")).await?,
        process: Process::given(values.integer("pid"))?,
        callers: count(values, "callers", 1, 10_000)?,
        duration: values.duration("duration").min(Duration::from_secs(600)),
        entries: match values.list("entries") {
            [] => vec![10, 1000, 100_000],
            given => numbers("entries", given, 1_000_000)?,
        },
        keep: false,
    })
}

fn bench_settings(values: &Values) -> Result<bench::Settings, Fault> {
    let own = || {
        std::env::current_exe().map_err(|cause| Fault::File {
            doing: "finding",
            path: "/proc/self/exe".into(),
            cause,
        })
    };
    Ok(bench::Settings {
        part: match values.text("part") {
            "polls" => bench::Part::Polls,
            "million" => bench::Part::Million,
            "rotation" => bench::Part::Rotation,
            _ => bench::Part::All,
        },
        program: values.nonempty("program").map_or_else(own, |path| Ok(PathBuf::from(path)))?,
        write: values.nonempty("write").map(PathBuf::from),
        entries: count(values, "entries", 0, 1_000_000)? as u64,
        svids: count(values, "svids", 1, 100_000)?,
        duration: values.duration("duration").min(Duration::from_secs(600)),
    })
}

fn path(values: &Values, flag: &str) -> PathBuf {
    let text = values.text(flag);
    Path::new(text.strip_prefix("unix:").unwrap_or(text)).to_owned()
}

fn count(values: &Values, flag: &str, least: i64, most: i64) -> Result<usize, Fault> {
    let given = values.integer(flag);
    match usize::try_from(given) {
        Ok(count) if (least..=most).contains(&given) => Ok(count),
        _ => Err(Fault::Usage(format!("-{flag} is {given}; it may be {least} to {most}"))),
    }
}

fn numbers(flag: &str, given: &[String], most: usize) -> Result<Vec<usize>, Fault> {
    let one = |text: &String| match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(Fault::Usage(format!("-{flag} is {text:?}; it may be 1 to {most}"))),
    };
    given.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(path: &str, arguments: &[&str]) -> Values {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        let (command, _) = TABLE.iter().find(|(command, _)| command.path == path).unwrap();
        kit::flags::parse(command.flags, &arguments).unwrap()
    }

    #[test]
    fn runs_are_bounded() {
        assert!(matches!(agent_settings(&values("agent", &["-streams", "1000000"])), Err(Fault::Usage(_))));
        assert!(matches!(agent_settings(&values("agent", &["-width", "0"])), Err(Fault::Usage(_))));
        let settings = bench_settings(&values("bench", &["-duration", "2h"])).unwrap();
        assert_eq!(settings.duration, Duration::from_secs(600));
    }

    #[test]
    fn numbers_of_streams_may_be_repeated() {
        let settings = agent_settings(&values("agent", &["-streams", "5", "-streams=7"])).unwrap();
        assert_eq!(settings.streams, [5, 7]);
        assert_eq!(agent_settings(&values("agent", &[])).unwrap().streams, [1, 100, 1000]);
    }
}

//! `bonafide up`: a whole trust domain on one machine, and an identity for whoever called it.
//!
//! Server and agent run in this process, from configuration files that `up` writes once and that anyone may go on
//! with. All it does to them goes through their sockets, as a person's commands would.

mod files;
mod register;
mod tell;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use ::telemetry::otlp::Waiting;
use kit::flags::{Command, Example, Flag, Values};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::demo::Pair;
use crate::reload::{AgentReloading, Reloading};
use crate::start::{self, Failure};
use crate::{agent, server, signals, telemetry};
use files::Files;

const FLAGS: &[Flag] = &[
    Flag::folder("dir", "Where the trust domain is kept; a second `up` there continues it").or(".bonafide"),
    Flag::text("trustDomain", "Name of the trust domain, when it is made").or("bonafide.local"),
    Flag::switch("demo", "Also run two small programs that talk mutual TLS and show each rotation"),
];

/// The row of the program's help.
pub(crate) const COMMAND: Command =
    Command::new("up", "Starts a whole trust domain here and gives you an identity", &[FLAGS])
        .with(&[Example::new("With two small programs that talk to each other", "-demo")]);

/// How long the parts may take to come up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the trust domain until a signal stops it.
pub(crate) fn main(values: &Values) -> ExitCode {
    start::finish(run(values))
}

fn run(values: &Values) -> Result<(), Failure> {
    let files =
        Files::lay(Path::new(values.text("dir")), values.text("trustDomain"), values.given("trustDomain"))?;
    // Both roles are one process; it makes spans if the server's file wants them.
    let telemetry = files.server_settings()?.telemetry;
    let (spans, waiting) = telemetry::spans(&telemetry, telemetry::SERVER_SPANS)?;
    let log = kit::log::init_beside(files.log_options(), spans)?;
    start::safe_umask();
    start::runtime()?.block_on(live(files, log, waiting, values.switch("demo")))
}

async fn live(
    files: Files,
    log: kit::log::Control,
    spans: Option<Waiting>,
    demo: bool,
) -> Result<(), Failure> {
    let stop = signals::stop_on_signal()?;
    let mut settings = files.server_settings()?;
    if std::net::TcpListener::bind((settings.bind_address.as_str(), settings.bind_port)).is_err() {
        tracing::warn!(
            port = settings.bind_port,
            "The configured port is taken: listening on a free one instead"
        );
        settings.bind_port = 0;
    }
    let (up, came_up) = oneshot::channel();
    let mut server =
        tokio::spawn(server::serve(settings, log, Reloading::default(), spans, stop.clone(), move |ready| {
            let _ = up.send(ready.address);
        }));
    let address = tokio::select! {
        address = came_up => match address {
            Ok(address) => address,
            // It ended before it was ready, and says why.
            Err(_) => return Err(early("server", (&mut server).await, &files)),
        },
        () = tokio::time::sleep(PATIENCE) => return Err(files.slow("the server")),
    };

    let registrar = register::Registrar::connect(&files.admin_socket()).await?;
    files.write_bootstrap(&registrar.bundle_pem().await?)?;
    registrar.person(&files).await?;
    if demo {
        registrar.entries(Pair::entries(&files.root(), files.trust_domain(), &files.node_id()?)).await?;
    }

    let mut agent = start_agent(&files, &registrar, address.port(), &stop).await?;
    let svid = tokio::select! {
        svid = tell::first_svid(files.workload_socket(), PATIENCE) => svid?,
        ended = &mut agent => {
            // What the agent had no longer serves (its SVID ended while nothing ran, or it was evicted): begin anew.
            tracing::warn!(reason = %outcome(ended), "The agent could not go on: attesting it anew");
            files.forget_agent()?;
            agent = start_agent(&files, &registrar, address.port(), &stop).await?;
            tokio::select! {
                svid = tell::first_svid(files.workload_socket(), PATIENCE) => svid?,
                ended = &mut agent => return Err(early("agent", ended, &files)),
            }
        }
        ended = &mut server => return Err(early("server", ended, &files)),
    };
    tell::people(&files, &svid);
    let pair = match demo {
        true => Some(Pair::start(&files.root(), &files.workload_socket(), files.trust_domain())?),
        false => None,
    };

    let outcome = tokio::select! {
        // Told to stop, the parts end too: that is no failure.
        biased;
        () = stop.cancelled() => Ok(()),
        ended = &mut server => Err(early("server", ended, &files)),
        ended = &mut agent => Err(early("agent", ended, &files)),
    };
    drop(pair);
    stop.cancel();
    // Whichever still runs stops on its own now; what it says then is in the log.
    let rest = async {
        if !agent.is_finished() {
            let _ = (&mut agent).await;
        }
        if !server.is_finished() {
            let _ = (&mut server).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(15), rest).await;
    outcome
}

type Running = tokio::task::JoinHandle<Result<(), Failure>>;

async fn start_agent(
    files: &Files,
    registrar: &register::Registrar,
    port: u16,
    stop: &CancellationToken,
) -> Result<Running, Failure> {
    let token = match files.agent_has_state() {
        true => None,
        false => Some(registrar.join_token(&files.node_id()?).await?),
    };
    let settings = files.agent_settings(port, token)?;
    Ok(tokio::spawn(agent::serve(settings, AgentReloading::default(), None, stop.clone())))
}

/// What a part that ended says.
fn outcome(ended: Result<Result<(), Failure>, tokio::task::JoinError>) -> String {
    match ended {
        Ok(Ok(())) => "it was stopped".to_owned(),
        Ok(Err(failure)) => start::chain(&*failure),
        Err(panic) => panic.to_string(),
    }
}

fn early(part: &str, ended: Result<Result<(), Failure>, tokio::task::JoinError>, files: &Files) -> Failure {
    format!("the {part} ended: {}; its log is {}", outcome(ended), files.log_file().display()).into()
}

/// A path under `dir`, which keeps messages short.
fn under(dir: &Path, name: &str) -> PathBuf {
    dir.join(name)
}

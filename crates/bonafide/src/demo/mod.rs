//! Two small programs that talk mutual TLS with whatever identities the agent gives them, for `bonafide up -demo`.
//!
//! They know a socket and whom they expect at the other end; certificates, keys and bundles come from the Workload API
//! and change under them every few seconds. Nothing here is needed to run a trust domain: it shows what a program of
//! one's own would do.

mod caller;
mod greeter;
mod identity;
mod pair;
mod tell;
#[cfg(test)]
mod tests;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use kit::flags::{Flag, parse, usage};
use spiffe::SpiffeId;
use tokio::signal::unix::{SignalKind, signal};

use crate::start::{self, Failure};
pub(crate) use pair::Pair;

const SHARED: &[Flag] = &[
    Flag::text("socket", "Path of the Workload API's socket"),
    Flag::text("peer", "SPIFFE ID of the other program"),
    Flag::text("name", "What this program is called; of its identities it takes the one with this hint"),
];
const GREETER: &[Flag] = &[Flag::text("listen", "Address to listen on").or("127.0.0.1:0")];
const CALLER: &[Flag] = &[Flag::text("connect", "Address of the greeter")];

/// Runs one of the two until it is asked to stop or whoever started it is gone. `arguments` follow the word `demo`.
#[allow(clippy::print_stderr)] // this is where a person reads
pub(crate) fn main(arguments: &[String]) -> ExitCode {
    let Some((part, flags)) = arguments.split_first() else {
        eprintln!("demo needs a part: greeter or caller");
        return ExitCode::FAILURE;
    };
    let (table, path): (&'static [&'static [Flag]], _) = match part.as_str() {
        "greeter" => (&[SHARED, GREETER], "demo greeter"),
        "caller" => (&[SHARED, CALLER], "demo caller"),
        other => {
            eprintln!("demo has no part {other:?}; there are greeter and caller");
            return ExitCode::FAILURE;
        }
    };
    match parse(table, flags) {
        Ok(values) => start::finish(run(part, &values)),
        Err(mistake) => {
            let command = kit::flags::Command::new(path, "", table);
            eprintln!("{mistake}\n{}", usage("bonafide", &command));
            ExitCode::FAILURE
        }
    }
}

fn run(part: &str, values: &kit::flags::Values) -> Result<(), Failure> {
    let peer = values.text("peer");
    let peer = SpiffeId::parse(peer).map_err(|e| format!("-peer {peer:?}: {e}"))?;
    let (socket, name) = (PathBuf::from(values.text("socket")), values.text("name").to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate())?;
        let mut interrupted = signal(SignalKind::interrupt())?;
        let shown = identity::Shown::new();
        let follow = shown.follow(&socket, &name);
        let talk = async {
            match part {
                "greeter" => greeter::serve(values.text("listen"), &peer, &shown).await,
                _ => caller::call(values.text("connect"), &peer, &shown).await,
            }
        };
        tokio::select! {
            ended = talk => ended,
            never = follow => match never {},
            _ = terminated.recv() => Ok(()),
            _ = interrupted.recv() => Ok(()),
            () = input_ends() => Ok(()),
        }
    });
    // A thread may still wait for the end of the input; it is not waited for.
    runtime.shutdown_background();
    outcome
}

/// Whoever started this program holds the other end of its input. A thread, since such a read cannot be cancelled.
async fn input_ends() {
    let (ended, waiting) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = waiting.await;
}

//! A SPIFFE client on the public crates; the modes are told in `../README.md`.
#![allow(clippy::print_stdout, reason = "printing JSON is what it is for")]

mod fetch;
mod mutual;
mod tally;
mod tls;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

/// Whatever a library said; it is printed and ends the program.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: client-rust fetch AUDIENCE | validate TOKEN AUDIENCE | watch N SECONDS | serve PORT ID | dial PORT ID SECONDS";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[&str]) -> Result<(), Failure> {
    match arguments {
        ["fetch", audience] => fetch::fetch(audience).await,
        ["validate", token, audience] => fetch::validate(token, audience).await,
        ["watch", rotations, limit] => watch::watch(rotations.parse()?, seconds(limit)?).await,
        ["serve", port, peer] => mutual::serve(port.parse()?, peer).await,
        ["dial", port, peer, limit] => mutual::dial(port.parse()?, peer, seconds(limit)?).await,
        _ => Err(USAGE.into()),
    }
}

fn seconds(text: &str) -> Result<Duration, Failure> {
    Ok(Duration::from_secs(text.parse()?))
}

/// One JSON object on a line of its own.
fn show(line: &serde_json::Value) {
    println!("{line}");
}

//! Chores of the repository. Each subcommand is a module; `cargo xtask` is `cargo run -p xtask --`.

#![allow(clippy::print_stdout, reason = "a chore reports to the terminal")]

mod layers;
mod proto;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["layers"] => layers::run(),
        ["proto"] => proto::run(proto::Mode::Write),
        ["proto", "--check"] => proto::run(proto::Mode::Check),
        _ => Err("usage: cargo run -p xtask -- layers | proto [--check]".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

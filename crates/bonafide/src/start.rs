//! What both roles do around their engines: log, tell mistakes, end.

use std::error::Error;
use std::fmt::Display;
use std::process::ExitCode;

use config::Warning;
use kit::flags::Values;

/// Why a role did not run, for people.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Ends the program: what went wrong is printed with all its causes.
#[allow(clippy::print_stderr)] // this is where a person reads
pub(crate) fn finish(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("Error: {}", chain(&*failure));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes, on one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let next_text = next.to_string();
        // A message that already ends in its cause's is not followed by it.
        if !text.ends_with(&next_text) {
            text = format!("{text}: {next_text}");
        }
        cause = next.source();
    }
    text
}

/// The outcome of `validate`, in SPIRE's words where it is well.
#[allow(clippy::print_stdout, clippy::print_stderr)] // a command's output
pub(crate) fn tell_validation(what: &str, outcome: Result<Vec<Warning>, impl Display>) -> ExitCode {
    match outcome {
        Ok(warnings) => {
            warnings.iter().for_each(|warning| eprintln!("Warning: {warning}"));
            println!("SPIRE {what} configuration file is valid.");
            ExitCode::SUCCESS
        }
        Err(report) => {
            eprintln!("SPIRE {what} configuration file is invalid: {report}");
            ExitCode::FAILURE
        }
    }
}

/// Tells of a plugin that is built in.
pub(crate) fn loaded(plugin_type: &str, plugin_name: &str) {
    tracing::info!(subsystem_name = "catalog", external = false, plugin_name, plugin_type, "Plugin loaded");
}

/// The text of a flag, if it was given.
pub(crate) fn given(values: &Values, name: &str) -> Option<String> {
    values.nonempty(name).map(str::to_owned)
}

/// The runtime of a role.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    if let Err(error) = kit::open_files::raise() {
        tracing::warn!(error = %error, "The limit of open files could not be raised");
    }
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("bonafide").build()?)
}

/// Warns of a umask that would let others write what this process creates, and sets a safe one.
pub(crate) fn safe_umask() {
    let old = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o027));
    if old.as_raw_mode() & 0o022 != 0o022 && old.as_raw_mode() & 0o007 != 0o007 {
        tracing::warn!("Current umask {:#06o} is too permissive; setting umask 0027", old.as_raw_mode());
    }
}

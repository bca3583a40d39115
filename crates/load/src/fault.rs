//! Why a run ended early.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use tonic::Status;

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{0}")]
    Usage(String),
    #[error(
        "{0} is not an address of this machine; load on other machines must be asked for with -allowRemote"
    )]
    Remote(String),
    #[error("cannot reach {place}; is it running, and is this the right place?")]
    Connect {
        place: String,
        #[source]
        cause: tonic::transport::Error,
    },
    #[error("{doing} failed: {} ({:?})", status.message(), status.code())]
    Call { doing: &'static str, status: Status },
    #[error("{doing} was refused: {message}")]
    Refused { doing: &'static str, message: String },
    #[error("{doing} brought no sensible answer: {what}")]
    Answer { doing: &'static str, what: &'static str },
    #[error("the credentials cannot be used")]
    Credentials(#[source] Box<dyn Error + Send + Sync>),
    #[error("{what} did not happen within {seconds} seconds")]
    Slow { what: String, seconds: u64 },
    #[error("process {pid} cannot be observed; is it -pid's process, and on this machine?")]
    Process {
        pid: u32,
        #[source]
        cause: io::Error,
    },
    #[error("{doing} {} failed", path.display())]
    File {
        doing: &'static str,
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("the {part} ended early; the end of its log is:\n{log}")]
    Ended { part: &'static str, log: String },
    #[error("the runtime did not start")]
    Runtime(#[source] io::Error),
    #[error("a caller failed inside")]
    Caller(#[from] tokio::task::JoinError),
    #[error("interrupted")]
    Interrupted,
}

impl Fault {
    /// For a call that failed.
    pub(crate) fn call(doing: &'static str) -> impl Fn(Status) -> Self {
        move |status| Self::Call { doing, status }
    }

    /// For credentials that cannot be made or read.
    pub(crate) fn credentials(cause: impl Error + Send + Sync + 'static) -> Self {
        Self::Credentials(Box::new(cause))
    }

    /// The message with its causes.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(next) = cause {
            text = format!("{text}: {next}");
            cause = next.source();
        }
        text
    }
}

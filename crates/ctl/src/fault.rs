//! Why a command did not do what it was asked: what happened and why in the message, what to do in the hint.

use std::io;
use std::path::PathBuf;

use kit::flags::SocketError;
use tonic::{Code, Status};

use crate::connect::ConnectError;
use crate::status;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The flags do not fit together, or one is missing.
    #[error("{0}")]
    Usage(String),
    /// A value that was given is not what it has to be.
    #[error("{what} {value:?} is not valid: {cause}")]
    Invalid {
        /// What the value is, such as `SPIFFE ID`.
        what: &'static str,
        /// What was given.
        value: String,
        /// What is wrong with it.
        cause: String,
    },
    /// It is not clear which socket is meant.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The peer cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The peer refused, or the connection broke.
    #[error("{doing}{}", status::line(.status))]
    Call {
        /// What was being done, empty or ending in `: `.
        doing: String,
        /// What came back.
        status: Box<Status>,
    },
    /// The peer's answer is not what the protocol promises.
    #[error("the answer makes no sense: {0}")]
    Answer(String),
    /// Part of what was asked was refused; the rest is printed already.
    #[error("{0}")]
    Refused(String),
    /// The peer is not healthy, or that cannot be found out.
    #[error("{0}")]
    Unhealthy(String, Option<String>),
    /// A file cannot be read or written.
    #[error("cannot {doing} {}: {cause}", path.display())]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// A file's content is not what it has to be.
    #[error("{what} in {path} cannot be used: {cause}")]
    Content {
        /// What the content is, such as `the bundle`.
        what: &'static str,
        /// The file, or `the standard input`.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A key or a signing request cannot be made.
    #[error("cannot make {what}: {cause}")]
    Make {
        /// What was to be made.
        what: &'static str,
        /// Why not.
        cause: String,
    },
    /// The output is gone.
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
    /// The command was told to stop.
    #[error("interrupted")]
    Interrupted,
}

impl Fault {
    /// A call failed; `doing` is empty or ends in `: `.
    pub(crate) fn call(doing: impl Into<String>) -> impl FnOnce(Status) -> Self {
        let doing = doing.into();
        move |status| Self::Call { doing, status: Box::new(status) }
    }

    /// A file cannot be read.
    pub(crate) fn read(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File { doing: "read", path, cause }
    }

    /// What to do about it, where that can be said.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Connect(e) => Some(e.hint()),
            Self::Unhealthy(_, hint) => hint.clone(),
            Self::Call { status, .. } => by_code(status).map(str::to_owned),
            Self::File { cause, doing, .. } => match cause.kind() {
                io::ErrorKind::PermissionDenied => {
                    Some(format!("run the command as a user who may {doing} the file"))
                }
                io::ErrorKind::NotFound if *doing == "write" => {
                    Some("make the folder first; it is not made for you".to_owned())
                }
                _ => None,
            },
            _ => None,
        }
    }
}

fn by_code(status: &Status) -> Option<&'static str> {
    match status.code() {
        Code::PermissionDenied if status.message().contains("no identity issued") => Some(
            "no registration entry matches this process; compare `entry show` with the selectors that the agent's \
             log names for this process, and note that a new entry takes a moment to reach the agent",
        ),
        Code::Unimplemented => Some(
            "whoever listens on that socket does not offer this call; check that -socketPath names the socket of \
             the right program",
        ),
        Code::DeadlineExceeded | Code::Cancelled => Some(
            "there was no answer in time; try again, allow more with -timeout, or look into the peer's log",
        ),
        Code::Unavailable => {
            Some("the peer is starting, stopping or overloaded; try again, and look into its log")
        }
        Code::Internal | Code::Unknown => Some("the peer's log says more"),
        _ => None,
    }
}

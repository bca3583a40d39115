use std::io;
use std::path::PathBuf;

/// Why a Unix socket could not be listened on.
#[derive(Debug, thiserror::Error)]
pub enum UdsError {
    /// The path does not fit into a socket address.
    #[error("the socket path {path:?} has {length} bytes; at most {max} are possible: choose a shorter one")]
    TooLong {
        /// The path.
        path: PathBuf,
        /// How long it is.
        length: usize,
        /// How long it may be.
        max: usize,
    },
    /// The folder could not be made.
    #[error(
        "the folder {folder:?} for the socket cannot be made: {cause}; make it, or give the user who runs this the right to"
    )]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Something else stands at the path.
    #[error("{path:?} exists and is not a socket: remove it, or choose another socket path")]
    NotSocket {
        /// The path.
        path: PathBuf,
    },
    /// Another process listens there.
    #[error(
        "{path:?} is in use: another process answers on it; stop that one, or choose another socket path"
    )]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// The system refused.
    #[error(
        "cannot listen on {path:?}: {cause}; check owner and mode of its folder and of what stands there"
    )]
    Bind {
        /// The path.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

//! Connects to a program's Unix socket.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint, Uri};

/// Which program a command talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The server, on its private socket.
    Server,
    /// The agent, on its public socket.
    Agent,
}

impl Peer {
    /// What to call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Agent => "agent",
        }
    }

    /// The variable that names its socket.
    fn variable(self) -> &'static str {
        match self {
            Self::Server => "SPIRE_SERVER_PRIVATE_SOCKET",
            Self::Agent => "SPIRE_AGENT_PUBLIC_SOCKET",
        }
    }
}

/// The peer cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach the {} at {}: {}", peer.name(), path.display(), self.reason())]
pub struct ConnectError {
    peer: Peer,
    path: PathBuf,
    cause: tonic::transport::Error,
}

impl ConnectError {
    fn io(&self) -> Option<&io::Error> {
        let mut source: Option<&(dyn Error + 'static)> = Some(&self.cause);
        while let Some(error) = source {
            if let Some(found) = error.downcast_ref::<io::Error>() {
                return Some(found);
            }
            source = error.source();
        }
        None
    }

    fn reason(&self) -> String {
        match self.io() {
            Some(error) if error.kind() == io::ErrorKind::NotFound => "there is no such socket".to_owned(),
            Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                "nobody listens there".to_owned()
            }
            Some(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                "this user may not open the socket".to_owned()
            }
            Some(error) => error.to_string(),
            None => self.cause.to_string(),
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> String {
        let (name, variable) = (self.peer.name(), self.peer.variable());
        match self.io().map(io::Error::kind) {
            Some(io::ErrorKind::PermissionDenied) => {
                format!("run the command as the {name}'s user or as root")
            }
            Some(io::ErrorKind::ConnectionRefused) => {
                format!("the socket file is left from a {name} that is gone; is the {name} running?")
            }
            _ => format!(
                "is the {name} running? If its socket is elsewhere, name it with -socketPath or {variable}"
            ),
        }
    }
}

/// A channel to the program that listens at `path`.
pub async fn connect(peer: Peer, path: &Path) -> Result<Channel, ConnectError> {
    let socket = path.to_owned();
    let connector = tower::service_fn(move |_: Uri| {
        let socket = socket.clone();
        async move { Ok::<_, io::Error>(TokioIo::new(UnixStream::connect(socket).await?)) }
    });
    // Not looked up: the connector knows where to go, and the name is what Go's clients send for a socket.
    Endpoint::from_static("http://localhost")
        .connect_with_connector(connector)
        .await
        .map_err(|cause| ConnectError { peer, path: path.to_owned(), cause })
}

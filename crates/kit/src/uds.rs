//! Unix sockets: listening with clear errors, and who is at the other end as tonic's connect info.

mod authority;
mod connection;
mod fault;

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use tokio::net::{UnixListener, UnixStream};

pub use connection::Connection;
pub use fault::UdsError;

/// The longest path that Linux binds a socket to.
const MAX_PATH: usize = 107;
/// How long to wait when the process has no descriptor left for another connection.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// Finds out who opened a connection. What it refuses is closed without an answer.
pub type Identify<P> = Arc<dyn Fn(&UnixStream) -> io::Result<P> + Send + Sync>;

/// A listening socket; its file is removed when it is dropped, unless another took its place meanwhile.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    path: PathBuf,
    file: (u64, u64),
}

impl Listener {
    /// Listens at `path`, whose folders are made if need be (mode 0755, or 0750 where the
    /// socket is closed to others). A socket that nobody answers on is replaced;
    /// a socket that is in use, and a file that is no socket, are left alone. Nobody can connect before the socket
    /// has the mode asked for.
    pub fn bind(path: &Path, mode: u32) -> Result<Self, UdsError> {
        if path.as_os_str().len() > MAX_PATH {
            return Err(UdsError::TooLong {
                path: path.to_owned(),
                length: path.as_os_str().len(),
                max: MAX_PATH,
            });
        }
        make_folder(path, mode)?;
        replaceable(path)?;
        let bind = |cause| UdsError::Bind { path: path.to_owned(), cause };
        let socket = place(path, mode).map_err(bind)?;
        let made = fs::symlink_metadata(path).map_err(bind)?;
        Ok(Self { socket, path: path.to_owned(), file: (made.dev(), made.ino()) })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next connection.
    pub async fn accept(&self) -> UnixStream {
        loop {
            match self.socket.accept().await {
                Ok((stream, _)) => return stream,
                Err(error) => {
                    tracing::warn!(error = %error, path = %self.path.display(), "Cannot accept a connection");
                    tokio::time::sleep(EXHAUSTED).await;
                }
            }
        }
    }

    /// All connections from now on, each with what `identify` says of it.
    pub fn connections<P: Send + 'static>(
        self,
        identify: Identify<P>,
    ) -> impl Stream<Item = io::Result<Connection<P>>> + Send {
        futures_util::stream::unfold((self, identify), |(listener, identify)| async move {
            loop {
                let stream = listener.accept().await;
                match identify(&stream) {
                    Ok(peer) => return Some((Ok(Connection::new(stream, peer)), (listener, identify))),
                    Err(error) => {
                        tracing::warn!(error = %error, path = %listener.path.display(), "Connection refused");
                    }
                }
            }
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|now| (now.dev(), now.ino()) == self.file);
        if ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes the folders that are missing, each open to whom the socket is open to, whatever the umask says.
fn make_folder(path: &Path, socket_mode: u32) -> Result<(), UdsError> {
    let mode = if socket_mode & 0o007 == 0 { 0o750 } else { 0o755 };
    let missing =
        path.ancestors().skip(1).take_while(|folder| !folder.as_os_str().is_empty() && !folder.is_dir());
    for folder in missing.collect::<Vec<_>>().into_iter().rev() {
        let made = fs::create_dir(folder)
            .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(mode)));
        made.map_err(|cause| UdsError::Folder { folder: folder.to_owned(), cause })?;
    }
    Ok(())
}

/// Whether a socket may be put here.
fn replaceable(path: &Path) -> Result<(), UdsError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(UdsError::Bind { path: path.to_owned(), cause }),
    };
    if !found.file_type().is_socket() {
        return Err(UdsError::NotSocket { path: path.to_owned() });
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(UdsError::InUse { path: path.to_owned() }),
        Err(cause) if cause.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        // Its queue is full: somebody listens.
        Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {
            Err(UdsError::InUse { path: path.to_owned() })
        }
        Err(cause) => Err(UdsError::Bind { path: path.to_owned(), cause }),
    }
}

/// Binds under another name, sets the mode, and moves the socket to its place, over a dead one.
fn place(path: &Path, mode: u32) -> io::Result<UnixListener> {
    let aside = aside(path);
    if aside.as_os_str().len() > MAX_PATH {
        return place_directly(path, mode);
    }
    let _ = fs::remove_file(&aside);
    let socket = UnixListener::bind(&aside)?;
    let placed = set_mode(&aside, mode).and_then(|()| fs::rename(&aside, path));
    if let Err(error) = placed {
        let _ = fs::remove_file(&aside);
        return Err(error);
    }
    Ok(socket)
}

/// For paths so long that no other name beside them fits: here the mode comes after the socket.
fn place_directly(path: &Path, mode: u32) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = UnixListener::bind(path)?;
    set_mode(path, mode)?;
    Ok(socket)
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn aside(path: &Path) -> PathBuf {
    path.with_file_name(format!(".{}", std::process::id()))
}

#[cfg(test)]
mod tests;

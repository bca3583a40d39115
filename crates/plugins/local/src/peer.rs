//! Pinning the process at the other end of a Unix socket, so that its pid cannot become another's meanwhile.
//!
//! Linux 6.5 hands out a pidfd of the process that connected (`SO_PEERPIDFD`): nothing can be confused with it, even
//! when the process ended before the connection was accepted. Older kernels leave the pid and the time at which its
//! process began; [`Means::StartTime`] makes of these what can be made.

mod pidfd;
mod print;
mod started;

use std::os::fd::{AsFd, BorrowedFd};

use model::ports::{AttestError, Peer, Print};
use rustix::io::Errno;

pub use started::BootTime;

/// Why the process at the other end could not be pinned.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// The socket does not know who is at the other end.
    #[error("the socket does not say who connected: {0}")]
    Credentials(#[source] std::io::Error),
    /// The process lives in a pid namespace that is not below this one.
    #[error(
        "the process that connected is not visible from here: run the agent in a pid namespace that holds its \
         workloads (on Kubernetes, hostPID)"
    )]
    Invisible,
    /// The kernel gave no pidfd.
    #[error("the kernel gave no handle on process {pid}: {why}")]
    NoHandle {
        /// The process id.
        pid: i32,
        /// What the kernel said.
        why: std::io::Error,
    },
    /// The process has ended.
    #[error("process {0}, which connected, has ended")]
    Ended(i32),
    /// The pid belongs to a process that cannot be the one that connected.
    #[error("pid {pid} is another process by now: {why}")]
    Another {
        /// The process id.
        pid: i32,
        /// What gave it away.
        why: &'static str,
    },
    /// `/proc` did not answer.
    #[error("process {pid} cannot be looked at in /proc: {why}")]
    Proc {
        /// The process id.
        pid: i32,
        /// What went wrong.
        why: std::io::Error,
    },
}

/// How a process is pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// By the pidfd that the kernel keeps with the socket (Linux 6.5).
    Pidfd,
    /// By its folder in `/proc` and the time at which it began, where the kernel is older. What remains: a process
    /// that began between the connection's opening and its acceptance, or within one clock tick (10 ms) of the
    /// latter, under the pid of a caller that had already ended but left its end of the socket to another, and with
    /// the same user and group, is taken for the caller.
    StartTime,
}

/// The process that opened a connection.
#[derive(Debug)]
pub struct Pinned {
    pid: i32,
    uid: u32,
    gid: u32,
    pin: Pin,
}

#[derive(Debug)]
enum Pin {
    Pidfd(pidfd::Handle),
    StartTime(started::Handle),
}

impl Pinned {
    /// Pins the process at the other end of `socket`, a connected Unix stream of std or tokio that was accepted at
    /// `accepted`: by pidfd where the kernel has it, else by start time.
    pub fn new(socket: impl AsFd, accepted: BootTime) -> Result<Self, PinError> {
        match Self::by(Means::Pidfd, socket.as_fd(), accepted) {
            Err(PinError::NoHandle { why, .. }) if lacks_pidfd(&why) => {
                Self::by(Means::StartTime, socket, accepted)
            }
            other => other,
        }
    }

    /// Pins by these means and no other.
    pub fn by(means: Means, socket: impl AsFd, accepted: BootTime) -> Result<Self, PinError> {
        let socket = socket.as_fd();
        let (pid, uid, gid) = credentials(socket)?;
        let pin = match means {
            Means::Pidfd => Pin::Pidfd(pidfd::Handle::of_peer(socket, pid)?),
            Means::StartTime => Pin::StartTime(started::Handle::of_peer(socket, pid, (uid, gid), accepted)?),
        };
        let pinned = Self { pid, uid, gid, pin };
        pinned.still_there()?;
        Ok(pinned)
    }

    /// How it is pinned.
    pub fn means(&self) -> Means {
        match self.pin {
            Pin::Pidfd(_) => Means::Pidfd,
            Pin::StartTime(_) => Means::StartTime,
        }
    }

    fn still_there(&self) -> Result<(), PinError> {
        match &self.pin {
            Pin::Pidfd(handle) => handle.check(),
            Pin::StartTime(handle) => handle.check(),
        }
    }
}

impl Peer for Pinned {
    fn pid(&self) -> i32 {
        self.pid
    }

    fn uid(&self) -> u32 {
        self.uid
    }

    fn gid(&self) -> u32 {
        self.gid
    }

    fn check(&self) -> Result<(), AttestError> {
        self.still_there().map_err(|fault| AttestError::Denied(fault.to_string()))
    }

    fn print(&self) -> Option<Print> {
        print::of(self.pid)
    }
}

/// What the kernel noted when the connection was opened: pid, effective user, effective group. (Not by rustix, whose
/// type for a pid has no zero, which is what the kernel says of a process outside our pid namespace.)
fn credentials(socket: BorrowedFd<'_>) -> Result<(i32, u32, u32), PinError> {
    let seen = nix::sys::socket::getsockopt(&socket, nix::sys::socket::sockopt::PeerCredentials)
        .map_err(|cause| PinError::Credentials(cause.into()))?;
    match seen.pid() {
        0 => Err(PinError::Invisible),
        pid => Ok((pid, seen.uid(), seen.gid())),
    }
}

/// Whether the kernel knows no `SO_PEERPIDFD`, as opposed to not giving this one.
fn lacks_pidfd(why: &std::io::Error) -> bool {
    why.raw_os_error() == Some(Errno::NOPROTOOPT.raw_os_error())
}

use std::os::fd::{BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{getsockopt, sockopt};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::PinError;

/// A pidfd of the process that connected.
#[derive(Debug)]
pub(super) struct Handle {
    pidfd: OwnedFd,
    pid: i32,
}

impl Handle {
    pub(super) fn of_peer(socket: BorrowedFd<'_>, pid: i32) -> Result<Self, PinError> {
        match getsockopt(&socket, sockopt::PeerPidfd) {
            Ok(pidfd) => Ok(Self { pidfd, pid }),
            // what a kernel says of a process that has been reaped: older ones refuse, 6.16 gives a dead pidfd
            Err(Errno::ESRCH | Errno::EINVAL) => Err(PinError::Ended(pid)),
            Err(cause) => Err(PinError::NoHandle { pid, why: cause.into() }),
        }
    }

    /// A pidfd turns readable when its process ends, and stays so.
    pub(super) fn check(&self) -> Result<(), PinError> {
        let mut watched = [PollFd::new(&self.pidfd, PollFlags::IN)];
        match poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
            Ok(0) => Ok(()),
            Ok(_) => Err(PinError::Ended(self.pid)),
            Err(cause) => Err(PinError::NoHandle { pid: self.pid, why: cause.into() }),
        }
    }
}

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open, openat};
use rustix::time::{ClockId, clock_gettime};

use super::PinError;
use crate::proc::{Stat, Status};

/// A moment on the clock by which the kernel notes when a process began: time since boot, suspension included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootTime(Duration);

impl BootTime {
    /// Now. Read it before `accept`, or straight after.
    pub fn now() -> Self {
        let now = clock_gettime(ClockId::Boottime);
        Self(Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or_default()))
    }

    /// In the kernel's clock ticks, rounded down as the kernel rounds a start time.
    fn ticks(self) -> u64 {
        let rate = rustix::param::clock_ticks_per_second();
        self.0.as_secs() * rate + u64::from(self.0.subsec_nanos()) * rate / 1_000_000_000
    }
}

/// The folder of the process in `/proc`, which answers for no other, and when it began.
#[derive(Debug)]
pub(super) struct Handle {
    folder: OwnedFd,
    pid: i32,
    began: u64,
}

impl Handle {
    /// Refuses a process that cannot be the one that connected: it began after the connection was accepted, or
    /// belongs to somebody else, or nobody holds the other end any more.
    pub(super) fn of_peer(
        socket: BorrowedFd<'_>,
        pid: i32,
        owner: (u32, u32),
        accepted: BootTime,
    ) -> Result<Self, PinError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = open(format!("/proc/{pid}"), flags, Mode::empty())
            .map_err(|cause| ended_or(pid, cause.into()))?;
        let began = stat(&folder, pid)?.began;
        if began > accepted.ticks() {
            return Err(PinError::Another { pid, why: "it began after the connection was accepted" });
        }
        let status = read(&folder, "status", pid)
            .and_then(|text| Status::parse(&text).map_err(|why| PinError::Proc { pid, why }))?;
        if (status.uid, status.gid) != owner {
            return Err(PinError::Another {
                pid,
                why: "it runs under another user or group than the one that connected",
            });
        }
        if hung_up(socket) {
            return Err(PinError::Ended(pid));
        }
        Ok(Self { folder, pid, began })
    }

    /// Reading through the folder fails once its process has been reaped, whoever has the pid then.
    pub(super) fn check(&self) -> Result<(), PinError> {
        let now = stat(&self.folder, self.pid)?;
        if now.ended {
            return Err(PinError::Ended(self.pid));
        }
        if now.began != self.began {
            return Err(PinError::Another { pid: self.pid, why: "it began at another time" });
        }
        Ok(())
    }
}

fn stat(folder: &OwnedFd, pid: i32) -> Result<Stat, PinError> {
    Stat::parse(&read(folder, "stat", pid)?).map_err(|why| PinError::Proc { pid, why })
}

fn read(folder: &OwnedFd, name: &str, pid: i32) -> Result<Vec<u8>, PinError> {
    let file = openat(folder, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|cause| ended_or(pid, cause.into()))?;
    let mut text = Vec::new();
    io::Read::read_to_end(&mut std::fs::File::from(file), &mut text).map_err(|cause| ended_or(pid, cause))?;
    Ok(text)
}

fn ended_or(pid: i32, why: io::Error) -> PinError {
    const NO_SUCH_PROCESS: i32 = rustix::io::Errno::SRCH.raw_os_error();
    match why.raw_os_error() {
        Some(NO_SUCH_PROCESS) => PinError::Ended(pid),
        _ if why.kind() == io::ErrorKind::NotFound => PinError::Ended(pid),
        _ => PinError::Proc { pid, why },
    }
}

/// Whether nobody holds the other end of the socket.
fn hung_up(socket: BorrowedFd<'_>) -> bool {
    let mut watched = [PollFd::from_borrowed_fd(socket, PollFlags::empty())];
    let asked = poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    asked.is_ok_and(|ready| ready > 0) && watched.iter().any(|one| one.revents().contains(PollFlags::HUP))
}

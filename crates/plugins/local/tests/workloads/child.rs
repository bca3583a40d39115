//! Processes that connect to a socket of the test and do as they are told: the test's own program once more, told
//! apart by its environment, of which it runs the test `child` alone.

use std::fs::Permissions;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use plugins_local::peer::BootTime;
use tempfile::TempDir;

const ACT: &str = "BONAFIDE_TEST_ACT";
const SOCKET: &str = "BONAFIDE_TEST_SOCKET";
pub(crate) const NOBODY: u32 = 65534;

/// What a process does once it has connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Nothing, until it is killed or the test ends.
    Stay,
    /// Ends when told, and leaves its end of the socket to a process of another pid.
    Leave,
    /// Executes `cat` when told.
    Exec,
    /// Becomes nobody when told, and connects once more.
    SetUser,
}

impl Act {
    fn name(self) -> String {
        format!("{self:?}")
    }
}

/// What the test `child` does: nothing in the test's own process.
pub(crate) fn obey() {
    let Ok(act) = std::env::var(ACT) else { return };
    let mut socket = UnixStream::connect(std::env::var(SOCKET).unwrap()).unwrap();
    // sent at once, so that the test knows that the connection is ours
    socket.write_all(b"!").unwrap();
    let mut told = [0];
    socket.read_exact(&mut told).unwrap();
    if act == Act::Leave.name() {
        cat(OwnedFd::from(socket)).spawn().unwrap();
        std::process::exit(0);
    } else if act == Act::Exec.name() {
        panic!("{}", cat(OwnedFd::from(socket)).exec());
    } else if act == Act::SetUser.name() {
        let (user, group) = (nix::unistd::Uid::from_raw(NOBODY), nix::unistd::Gid::from_raw(NOBODY));
        nix::unistd::setgroups(&[group]).unwrap();
        nix::unistd::setresgid(group, group, group).unwrap();
        nix::unistd::setresuid(user, user, user).unwrap();
        // on a connection of its own as whom it is now
        let again = UnixStream::connect(std::env::var(SOCKET).unwrap()).unwrap();
        std::mem::forget(again);
    }
    // until the test lets go of its end, however the test itself ends
    let _ = std::io::copy(&mut socket, &mut std::io::sink());
}

/// A program that runs until this input ends.
fn cat(input: impl Into<Stdio>) -> Command {
    let mut cat = Command::new("cat");
    cat.stdin(input).stdout(Stdio::null()).stderr(Stdio::null());
    cat
}

/// A process that connected; killed when dropped.
pub(crate) struct Connected {
    pub(crate) process: Killed,
    pub(crate) socket: UnixStream,
    pub(crate) accepted: BootTime,
    listener: UnixListener,
    _folder: TempDir,
}

impl Connected {
    pub(crate) fn new(act: Act) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        for path in [folder.path(), &path] {
            std::fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
        }
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture", "--test-threads=1"])
            .env(ACT, act.name())
            .env(SOCKET, &path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let (mut socket, _) = listener.accept().unwrap();
        let accepted = BootTime::now();
        socket.read_exact(&mut [0]).unwrap();
        Self { process: Killed(process), socket, accepted, listener, _folder: folder }
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.process.0.id()).unwrap()
    }

    /// Tells it to act.
    pub(crate) fn tell(&mut self) {
        self.socket.write_all(b"!").unwrap();
    }

    /// Its next connection.
    pub(crate) fn accept(&self) -> (UnixStream, BootTime) {
        let (socket, _) = self.listener.accept().unwrap();
        (socket, BootTime::now())
    }

    /// Waits until its executable is `cat`.
    pub(crate) fn wait_for_cat(&self) {
        let exe = format!("/proc/{}/exe", self.pid());
        let until = Instant::now() + Duration::from_secs(10);
        // while it executes there is none
        let is_cat = || {
            let name = std::fs::read_link(&exe).ok().and_then(|exe| exe.file_name().map(ToOwned::to_owned));
            name.is_some_and(|name| name == "cat" || name == "coreutils" || name == "busybox")
        };
        while !is_cat() {
            assert!(Instant::now() < until, "it does not execute");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A process that does not outlive the test.
pub(crate) struct Killed(pub(crate) Child);

impl Killed {
    /// Ends it and collects it, so that its pid is free.
    pub(crate) fn end(&mut self) {
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Why pids cannot be recycled at will here, if they cannot.
pub(crate) fn cannot_recycle() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root may choose the next pid".to_owned());
    }
    let last = std::fs::read_to_string(LAST_PID).and_then(|last| std::fs::write(LAST_PID, last));
    last.err().map(|cause| format!("{LAST_PID} cannot be written: {cause}"))
}

const LAST_PID: &str = "/proc/sys/kernel/ns_last_pid";

/// Starts `cat` under this pid, which must be free. Other processes may take it first, so this tries again.
pub(crate) fn recycle(pid: i32) -> Killed {
    for _ in 0..2000 {
        std::fs::write(LAST_PID, (pid - 1).to_string()).unwrap();
        let mut process = Killed(cat(Stdio::piped()).spawn().unwrap());
        if process.0.id() == u32::try_from(pid).unwrap() {
            return process;
        }
        process.end();
    }
    panic!("pid {pid} could not be had");
}

/// Held by tests that count on pids, for as long as they do.
pub(crate) fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

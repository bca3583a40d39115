//! Pinning the caller: whoever gets its pid later gets nothing of what is its own.

use std::io::Read;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};

use crate::child::{Act, Connected, Killed, cannot_recycle, one_at_a_time, recycle};
use model::ports::{AttestError, Peer, WorkloadAttestor};
use plugins_local::peer::{BootTime, Means, PinError, Pinned};
use plugins_local::unix::{Settings, Unix};

/// Whether this kernel hands out pidfds of peers.
fn every_means() -> Vec<Means> {
    let (one, _other) = UnixStream::pair().unwrap();
    match Pinned::by(Means::Pidfd, &one, BootTime::now()) {
        Ok(_) => vec![Means::Pidfd, Means::StartTime],
        Err(PinError::NoHandle { why, .. }) => {
            eprintln!("not tried by pidfd: {why}");
            vec![Means::StartTime]
        }
        Err(other) => panic!("{other}"),
    }
}

fn skip() -> bool {
    let why = cannot_recycle();
    why.inspect(|why| eprintln!("skipped: {why}")).is_some()
}

/// The path that attests a workload, for a peer that has been pinned.
fn attested(peer: &Pinned) -> Result<usize, AttestError> {
    let attestor = Unix::new(Settings { discover_workload_path: true, ..Settings::default() });
    let run = tokio::runtime::Builder::new_current_thread().build().unwrap();
    run.block_on(attestor.attest(peer)).map(|selectors| selectors.len())
}

#[test]
fn a_caller_that_runs_is_pinned() {
    for means in every_means() {
        let caller = Connected::new(Act::Stay);
        let peer = Pinned::by(means, &caller.socket, caller.accepted).unwrap();
        assert_eq!(peer.means(), means);
        assert_eq!(peer.pid(), caller.pid());
        assert_eq!(peer.uid(), rustix::process::geteuid().as_raw());
        assert_eq!(peer.gid(), rustix::process::getegid().as_raw());
        peer.check().unwrap();
        assert!(attested(&peer).unwrap() >= 4);
    }
}

#[test]
fn the_best_means_is_taken() {
    let caller = Connected::new(Act::Stay);
    let peer = Pinned::new(&caller.socket, caller.accepted).unwrap();
    assert_eq!(peer.means(), every_means()[0]);
}

#[tokio::test]
async fn a_stream_of_tokio_can_be_asked() {
    let (one, _other) = tokio::net::UnixStream::pair().unwrap();
    let peer = Pinned::new(&one, BootTime::now()).unwrap();
    assert_eq!(peer.pid(), rustix::process::getpid().as_raw_pid());
}

#[test]
fn a_caller_looks_the_same_until_it_executes_another_program() {
    let mut caller = Connected::new(Act::Exec);
    let peer = Pinned::new(&caller.socket, caller.accepted).unwrap();
    let before = peer.print().unwrap();
    assert_eq!(peer.print().unwrap(), before);
    caller.tell();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while peer.print().as_ref() == Some(&before) {
        assert!(std::time::Instant::now() < deadline, "another program looks the same");
        std::thread::yield_now();
    }
    peer.check().unwrap();
}

#[test]
fn two_users_of_one_program_do_not_look_alike() {
    let caller = Connected::new(Act::Stay);
    let peer = Pinned::new(&caller.socket, caller.accepted).unwrap();
    let (mine, _other) = UnixStream::pair().unwrap();
    let own = Pinned::new(&mine, BootTime::now()).unwrap();
    assert_eq!(peer.print(), own.print());
    if rustix::process::geteuid().is_root() {
        let mut caller = Connected::new(Act::SetUser);
        let peer = Pinned::new(&caller.socket, caller.accepted).unwrap();
        caller.tell();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while peer.print() == own.print() {
            assert!(std::time::Instant::now() < deadline, "another user looks the same");
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_caller_that_has_ended_is_refused() {
    for means in every_means() {
        let mut caller = Connected::new(Act::Stay);
        let peer = Pinned::by(means, &caller.socket, caller.accepted).unwrap();
        caller.process.end();
        assert!(matches!(peer.check(), Err(AttestError::Denied(_))), "{means:?}");
        assert!(matches!(attested(&peer), Err(AttestError::Denied(_))), "{means:?}");
        let late = Pinned::by(means, &caller.socket, caller.accepted).map(drop);
        assert!(matches!(late, Err(PinError::Ended(_))), "{means:?}: {late:?}");
    }
}

#[test]
fn a_caller_that_nobody_has_collected_is_refused() {
    for means in every_means() {
        let mut caller = Connected::new(Act::Stay);
        let peer = Pinned::by(means, &caller.socket, caller.accepted).unwrap();
        caller.process.0.kill().unwrap();
        // until it has ended with all its threads, without collecting it
        let pid = rustix::process::Pid::from_raw(caller.pid()).unwrap();
        let ended = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        rustix::process::waitid(rustix::process::WaitId::Pid(pid), ended).unwrap();
        assert!(matches!(peer.check(), Err(AttestError::Denied(_))), "{means:?}");
    }
}

#[test]
fn whoever_gets_the_pid_of_a_pinned_caller_gets_nothing() {
    let _turn = one_at_a_time();
    if skip() {
        return;
    }
    for means in every_means() {
        let mut caller = Connected::new(Act::Stay);
        let peer = Pinned::by(means, &caller.socket, caller.accepted).unwrap();
        let pid = caller.pid();
        caller.process.end();
        let _other = recycle(pid);
        assert_eq!(peer.pid(), pid);
        assert!(matches!(peer.check(), Err(AttestError::Denied(_))), "{means:?}");
        assert!(matches!(attested(&peer), Err(AttestError::Denied(_))), "{means:?}");
    }
}

#[test]
fn whoever_gets_the_pid_before_the_caller_is_pinned_gets_nothing() {
    let _turn = one_at_a_time();
    if skip() {
        return;
    }
    for means in every_means() {
        // the caller's end of the socket stays open, so nothing but the process itself tells that it is gone
        let mut caller = Connected::new(Act::Leave);
        let pid = caller.pid();
        caller.tell();
        caller.process.0.wait().unwrap();
        // past the tick in which the connection was accepted, which is as finely as a start time can be told
        std::thread::sleep(std::time::Duration::from_millis(25));
        let _other = recycle(pid);
        let late = Pinned::by(means, &caller.socket, caller.accepted).map(drop);
        let refused = match means {
            Means::Pidfd => matches!(late, Err(PinError::Ended(_))),
            Means::StartTime => matches!(late, Err(PinError::Another { .. })),
        };
        assert!(refused, "{means:?}: {late:?}");
    }
}

#[test]
fn a_connection_that_nobody_holds_is_refused_whoever_has_the_pid() {
    let _turn = one_at_a_time();
    if skip() {
        return;
    }
    // connected, ended and followed by another before the connection was accepted: start times tell nothing then
    for means in every_means() {
        let mut caller = Connected::new(Act::Stay);
        let pid = caller.pid();
        caller.process.end();
        let _other = recycle(pid);
        let late = Pinned::by(means, &caller.socket, BootTime::now()).map(drop);
        assert!(matches!(late, Err(PinError::Ended(_))), "{means:?}: {late:?}");
    }
}

#[test]
fn a_process_of_another_user_under_the_pid_is_not_the_caller() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: only root may become another user");
    }
    // as a process looks that took over the pid within the same clock tick
    let mut caller = Connected::new(Act::SetUser);
    caller.tell();
    let _again = caller.accept();
    let late = Pinned::by(Means::StartTime, &caller.socket, caller.accepted).map(drop);
    assert!(matches!(late, Err(PinError::Another { .. })), "{late:?}");
}

const NAMESPACE: &str = "BONAFIDE_TEST_NAMESPACE";

#[test]
fn a_caller_outside_the_pid_namespace_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: only root may make a pid namespace");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let mut server = Command::new("unshare");
    server.args(["--pid", "--fork", "--kill-child"]).arg(std::env::current_exe().unwrap());
    server.args(["child", "--exact", "--nocapture", "--test-threads=1"]);
    server.env(NAMESPACE, &path).stdin(Stdio::null()).stdout(Stdio::null());
    let _server = Killed(server.spawn().unwrap());
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let mut socket = loop {
        match UnixStream::connect(&path) {
            Ok(socket) => break socket,
            Err(cause) => assert!(std::time::Instant::now() < until, "{cause}"),
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    let mut said = String::new();
    socket.read_to_string(&mut said).unwrap();
    assert!(said.contains("not visible from here"), "{said}");
}

/// The other side of the test above, in a process of its own.
pub(crate) fn listen_in_another_namespace() {
    let Ok(path) = std::env::var(NAMESPACE) else { return };
    let (mut socket, _) = UnixListener::bind(path).unwrap().accept().unwrap();
    let said = match Pinned::new(&socket, BootTime::now()) {
        Ok(peer) => format!("pinned {}", peer.pid()),
        Err(fault) => fault.to_string(),
    };
    std::io::Write::write_all(&mut socket, said.as_bytes()).unwrap();
}

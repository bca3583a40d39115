//! The `unix` attestor on real processes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::child::{Act, Connected, Killed, NOBODY};
use model::ports::{AttestError, Peer, WorkloadAttestor};
use model::{Selector, Selectors};
use plugins_local::peer::{BootTime, Pinned};
use plugins_local::unix::{Settings, Unix};

/// A process that is known to run because the test holds it.
struct Held(i32);

impl Peer for Held {
    fn pid(&self) -> i32 {
        self.0
    }
    fn uid(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }
    fn gid(&self) -> u32 {
        rustix::process::getegid().as_raw()
    }
    fn check(&self) -> Result<(), AttestError> {
        Ok(())
    }
}

fn discovering() -> Unix {
    Unix::new(Settings { discover_workload_path: true, ..Settings::default() })
}

fn limited(limit: i64) -> Unix {
    Unix::new(Settings { discover_workload_path: true, workload_size_limit: limit, ..Settings::default() })
}

fn has(selectors: &Selectors, selector: &str) -> bool {
    selectors.contains(&Selector::parse(selector).unwrap())
}

fn values(selectors: &Selectors, kind: &str) -> Vec<String> {
    let prefix = format!("{kind}:");
    selectors.iter().filter_map(|it| it.value().strip_prefix(&prefix)).map(str::to_owned).collect()
}

fn sha256(path: &Path) -> String {
    let printed = Command::new("sha256sum").arg(path).output().unwrap().stdout;
    String::from_utf8(printed).unwrap().split_whitespace().next().unwrap().to_owned()
}

fn ourselves() -> (Pinned, UnixStream) {
    let (one, other) = UnixStream::pair().unwrap();
    (Pinned::new(&one, BootTime::now()).unwrap(), other)
}

/// A program of the test's own, running.
struct Program {
    path: PathBuf,
    process: Killed,
    _folder: tempfile::TempDir,
}

impl Program {
    /// `cat` from a folder of its own, with something after its end that does not matter to it.
    fn start(tail: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        let process = Self::run(&path, tail);
        Self { path, process, _folder: folder }
    }

    fn run(path: &Path, tail: &[u8]) -> Killed {
        let program = ["/usr/bin/cat", "/bin/cat"].into_iter().find_map(|path| fs::read(path).ok()).unwrap();
        fs::write(path, [program.as_slice(), tail].concat()).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        // another test that forks at this moment may hold the file open for writing for an instant
        for _ in 0..100 {
            match Command::new(path).stdin(Stdio::piped()).spawn() {
                Ok(process) => return Killed(process),
                Err(cause) if cause.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
                Err(cause) => panic!("{cause}"),
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("the program stays busy");
    }

    fn peer(&self) -> Held {
        Held(i32::try_from(self.process.0.id()).unwrap())
    }

    async fn seen_by(&self, attestor: &Unix) -> Result<Selectors, AttestError> {
        attestor.attest(&self.peer()).await
    }
}

#[tokio::test]
async fn a_process_has_its_user_its_groups_and_their_names() {
    let (peer, _socket) = ourselves();
    let seen = Unix::new(Settings::default()).attest(&peer).await.unwrap();
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    assert!(has(&seen, &format!("unix:uid:{}", uid.as_raw())));
    assert!(has(&seen, &format!("unix:gid:{}", gid.as_raw())));
    let mut groups: Vec<String> =
        rustix::process::getgroups().unwrap().into_iter().map(|gid| gid.as_raw().to_string()).collect();
    groups.sort();
    groups.dedup();
    assert_eq!(values(&seen, "supplementary_gid"), groups);
    if uid.is_root() {
        assert!(has(&seen, "unix:user:root") && has(&seen, "unix:group:root"));
    }
    assert!(values(&seen, "path").is_empty() && values(&seen, "sha256").is_empty());
}

#[tokio::test]
async fn with_discovery_a_process_has_its_path_and_digest() {
    let (peer, _socket) = ourselves();
    let seen = discovering().attest(&peer).await.unwrap();
    let exe = std::env::current_exe().unwrap();
    assert_eq!(values(&seen, "path"), [exe.to_str().unwrap()]);
    assert_eq!(values(&seen, "sha256"), [sha256(&exe)]);
}

#[tokio::test]
async fn an_executable_over_the_limit_gets_nothing_and_one_at_it_does() {
    let program = Program::start(b"");
    let size = i64::try_from(fs::metadata(&program.path).unwrap().len()).unwrap();
    let refused = program.seen_by(&limited(size - 1)).await.unwrap_err().to_string();
    assert!(refused.starts_with("SHA256 digest: workload "), "{refused}");
    assert!(refused.ends_with(&format!("exceeds size limit ({size} > {})", size - 1)), "{refused}");
    assert_eq!(values(&program.seen_by(&limited(size)).await.unwrap(), "sha256").len(), 1);
    assert_eq!(values(&program.seen_by(&limited(0)).await.unwrap(), "sha256").len(), 1);
}

#[tokio::test]
async fn below_zero_nothing_is_hashed() {
    let program = Program::start(b"");
    let seen = program.seen_by(&limited(-1)).await.unwrap();
    assert_eq!(values(&seen, "path"), [program.path.to_str().unwrap()]);
    assert!(values(&seen, "sha256").is_empty());
}

#[tokio::test]
async fn an_executable_that_is_gone_from_its_place_is_still_known() {
    let program = Program::start(b"");
    let digest = sha256(&program.path);
    fs::remove_file(&program.path).unwrap();
    let seen = program.seen_by(&discovering()).await.unwrap();
    assert_eq!(values(&seen, "path"), [format!("{} (deleted)", program.path.display())]);
    assert_eq!(values(&seen, "sha256"), [digest]);
}

#[tokio::test]
async fn what_surrounds_a_process_is_told_where_it_is_asked_for() {
    let attestor = Unix::new(Settings {
        discover_parent_path: true,
        discover_ancestor_paths: true,
        discover_cgroup: true,
        discover_label: true,
        ..Settings::default()
    });
    assert!(!attestor.lasting());
    let caller = Connected::new(Act::Stay);
    let peer = Pinned::new(&caller.socket, caller.accepted).unwrap();
    let seen = attestor.attest(&peer).await.unwrap();
    let own = std::env::current_exe().unwrap();
    assert_eq!(values(&seen, "parent-path"), [own.to_str().unwrap()]);
    assert!(values(&seen, "ancestor-path").contains(&own.to_str().unwrap().to_owned()));
    let groups = fs::read_to_string(format!("/proc/{}/cgroup", caller.pid())).unwrap();
    for path in values(&seen, "cgroup") {
        assert!(groups.lines().any(|line| line.splitn(3, ':').nth(2) == Some(&path)), "{path}");
    }
    assert!(!values(&seen, "cgroup").is_empty());
    let plain = Unix::new(Settings::default());
    assert!(plain.lasting());
    let plain = plain.attest(&peer).await.unwrap();
    for kind in ["parent-path", "ancestor-path", "cgroup", "selinux-label", "apparmor-label"] {
        assert!(values(&plain, kind).is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn a_program_written_over_the_old_one_is_another() {
    let attestor = discovering();
    let mut program = Program::start(b"aaaa");
    let first = values(&program.seen_by(&attestor).await.unwrap(), "sha256");
    program.process.end();
    // in place, of the same length and within the same second
    program.process = Program::run(&program.path, b"bbbb");
    let second = values(&program.seen_by(&attestor).await.unwrap(), "sha256");
    assert_ne!(first, second);
    assert_eq!(second, [sha256(&program.path)]);
}

#[tokio::test]
async fn a_process_that_executes_another_program_has_that_programs_selectors() {
    let attestor = discovering();
    let mut caller = Connected::new(Act::Exec);
    let peer = Pinned::new(&caller.socket, caller.accepted).unwrap();
    let before = attestor.attest(&peer).await.unwrap();
    assert_eq!(values(&before, "path"), [std::env::current_exe().unwrap().to_str().unwrap()]);
    caller.tell();
    caller.wait_for_cat();
    let after = attestor.attest(&peer).await.unwrap();
    let exe = fs::read_link(format!("/proc/{}/exe", caller.pid())).unwrap();
    assert_eq!(values(&after, "path"), [exe.to_str().unwrap()]);
    assert_eq!(values(&after, "sha256"), [sha256(&exe)]);
}

#[tokio::test]
async fn a_process_that_changes_its_user_has_to_connect_again_and_has_that_users_selectors_then() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: only root may become another user");
    }
    let attestor = Unix::new(Settings::default());
    let mut caller = Connected::new(Act::SetUser);
    let peer = Pinned::new(&caller.socket, caller.accepted).unwrap();
    assert!(has(&attestor.attest(&peer).await.unwrap(), "unix:uid:0"));
    caller.tell();
    let (again, accepted) = caller.accept();
    let refused = attestor.attest(&peer).await.unwrap_err();
    assert!(refused.to_string().ends_with("it has to connect again"), "{refused}");
    let peer = Pinned::new(&again, accepted).unwrap();
    let after = attestor.attest(&peer).await.unwrap();
    assert_eq!(values(&after, "uid"), [NOBODY.to_string()]);
    assert_eq!(values(&after, "gid"), [NOBODY.to_string()]);
    assert_eq!(values(&after, "supplementary_gid"), [NOBODY.to_string()]);
    assert_eq!(values(&after, "user"), ["nobody"]);
    assert!(!has(&after, "unix:user:root"));
}

/// A process that ends while it is looked at.
struct Ending(AtomicUsize);

impl Peer for Ending {
    fn pid(&self) -> i32 {
        rustix::process::getpid().as_raw_pid()
    }
    fn uid(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }
    fn gid(&self) -> u32 {
        rustix::process::getegid().as_raw()
    }
    fn check(&self) -> Result<(), AttestError> {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(()),
            _ => Err(AttestError::Denied("it has ended".to_owned())),
        }
    }
}

#[tokio::test]
async fn what_was_read_of_a_process_that_ended_meanwhile_is_not_used() {
    let peer = Ending(AtomicUsize::new(0));
    let refused = Unix::new(Settings::default()).attest(&peer).await;
    assert!(matches!(refused, Err(AttestError::Denied(_))), "{refused:?}");
    assert_eq!(peer.0.load(Ordering::Relaxed), 2);
}

/// A process file system of the test's own with one process, which is now this program in this group, now that.
struct TwoFaced {
    folder: tempfile::TempDir,
}

impl TwoFaced {
    const PID: i32 = 7;

    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for face in ["1", "2"] {
            let process = folder.path().join(face);
            fs::create_dir(&process).unwrap();
            let program = process.join("program");
            fs::write(&program, face).unwrap();
            std::os::unix::fs::symlink(&program, process.join("exe")).unwrap();
            let (uid, gid) = (Held(0).uid(), Held(0).gid());
            let status = format!("Uid:\t0\t{uid}\t0\t0\nGid:\t0\t{gid}\t0\t0\nGroups:\t{face} \n");
            fs::write(process.join("status"), status).unwrap();
        }
        let it = Self { folder };
        it.show("1");
        it
    }

    fn show(&self, face: &str) {
        let next = self.folder.path().join("next");
        std::os::unix::fs::symlink(face, &next).unwrap();
        fs::rename(next, self.folder.path().join(Self::PID.to_string())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_changes_is_never_seen_half_and_half() {
    let process = Arc::new(TwoFaced::new());
    let proc = process.folder.path().to_owned();
    let attestor = Unix::new(Settings { discover_workload_path: true, proc, ..Settings::default() });
    let done = Arc::new(AtomicBool::new(false));
    let changing = std::thread::spawn({
        let (process, done) = (Arc::clone(&process), Arc::clone(&done));
        move || {
            while !done.load(Ordering::Relaxed) {
                process.show("2");
                std::thread::sleep(std::time::Duration::from_micros(50));
                process.show("1");
                std::thread::sleep(std::time::Duration::from_micros(70));
            }
        }
    });
    let mut seen_whole = 0;
    for _ in 0..2000 {
        let Ok(seen) = attestor.attest(&Held(TwoFaced::PID)).await else { continue };
        let program = process.folder.path().join(&values(&seen, "supplementary_gid")[0]).join("program");
        assert_eq!(values(&seen, "path"), [program.to_str().unwrap()]);
        seen_whole += 1;
    }
    done.store(true, Ordering::Relaxed);
    changing.join().unwrap();
    assert!(seen_whole > 100, "{seen_whole}");
}

#[tokio::test]
async fn a_process_that_is_not_there_gets_nothing() {
    let mut program = Program::start(b"");
    let peer = program.peer();
    program.process.end();
    assert!(matches!(discovering().attest(&peer).await, Err(AttestError::Failed(_))));
}

#[tokio::test]
async fn without_the_right_to_look_the_reason_is_named() {
    if rustix::process::geteuid().is_root() {
        return eprintln!("skipped: root may look at every process");
    }
    let refused = discovering().attest(&Held(1)).await.unwrap_err().to_string();
    assert!(refused.contains("must run as root or as the workload's user"), "{refused}");
}

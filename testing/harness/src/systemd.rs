//! systemd as process 1 of namespaces of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::Process;
use crate::ran::Ran;
use crate::skip::Missing;

/// A systemd with a system bus, and with no units but those that the test writes. What runs in it ends with it.
#[derive(Debug)]
pub struct Systemd {
    folder: TempDir,
    /// systemd, as this machine counts processes.
    pid: String,
}

impl Systemd {
    /// Starts it.
    ///
    /// # Errors
    /// [`Missing::Tool`] where it is not installed, or this user may not make namespaces.
    ///
    /// # Panics
    /// When no temporary folder can be made.
    pub fn start() -> Result<Self, Missing> {
        if !rustix::process::geteuid().is_root() {
            return Err(Missing::Tool("only root can start systemd in namespaces of its own".to_owned()));
        }
        if !Path::new("/lib/systemd/systemd").exists() || !Path::new("/usr/bin/dbus-daemon").exists() {
            return Err(Missing::Tool(
                "systemd or dbus is missing: scripts/install-test-tools installs them".to_owned(),
            ));
        }
        let folder = tempfile::Builder::new().prefix("systemd-").tempdir().expect("a temporary folder");
        // not as a child of the test's: it outlives the script, and is ended by its pid
        let log = folder.path().join("start.log");
        let mut script = Command::new("bash");
        script.arg(rig("systemd-start")).arg(folder.path());
        let code = Process::spawn("systemd-start", &mut script, &log).wait(Duration::from_secs(60));
        if code != Some(0) {
            let log = fs::read_to_string(&log).unwrap_or_default();
            return Err(Missing::Tool(format!("systemd does not start here: {}", log.trim())));
        }
        let pid = fs::read_to_string(folder.path().join("pid")).expect("the script writes it");
        Ok(Self { folder, pid: pid.trim().to_owned() })
    }

    /// What to put before a command that is to run where systemd runs.
    #[must_use]
    pub fn enter(&self) -> Vec<String> {
        ["nsenter", "-t", &self.pid, "-m", "-p", "-i", "-u", "-C"].map(str::to_owned).into()
    }

    /// Writes a unit and makes it known.
    ///
    /// # Panics
    /// When it cannot be written, or systemd does not answer.
    pub fn unit(&self, name: &str, service: &str) -> PathBuf {
        let path = self.folder.path().join("units").join(name);
        let text = format!("[Unit]\nDefaultDependencies=no\n[Service]\n{service}\n");
        fs::write(&path, text).expect("a unit can be written in a temporary folder");
        self.systemctl(&["daemon-reload"]).succeeds();
        path
    }

    /// Runs `systemctl`.
    #[must_use = "a test looks at how a command ended"]
    pub fn systemctl(&self, arguments: &[&str]) -> Ran {
        let enter = self.enter();
        let (program, before) = enter.split_first().expect("there is a command");
        Ran::run(Command::new(program).args(before).arg("systemctl").args(arguments))
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        let kill = |pid: &str| {
            let pid = pid.trim().parse().ok().and_then(rustix::process::Pid::from_raw);
            pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL))
        };
        let _ = kill(&self.pid);
        let gone = || !Path::new("/proc").join(&self.pid).exists();
        for _ in 0..100 {
            if gone() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let group = fs::read_to_string(self.folder.path().join("cgroup")).unwrap_or_default();
        for hierarchy in ["", "unified", "systemd"] {
            let at = Path::new("/sys/fs/cgroup").join(hierarchy).join(group.trim());
            if !group.trim().is_empty() && at.is_dir() {
                let _ = Command::new("find")
                    .arg(&at)
                    .args(["-depth", "-type", "d", "-exec", "rmdir", "{}", ";"])
                    .output();
            }
        }
    }
}

fn rig(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rigs").join(name)
}

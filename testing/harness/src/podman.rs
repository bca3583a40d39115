//! Podman, with the service that answers on a socket.

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::containers::{self, Containers};
use crate::eventually::eventually;
use crate::process::Process;
use crate::ran::Ran;
use crate::skip::Missing;

const READY: Duration = Duration::from_secs(60);

/// Podman in a folder of its own. Its containers go with it.
#[derive(Debug)]
pub struct Podman {
    folder: TempDir,
    service: Option<Process>,
}

impl Podman {
    /// A parent of control groups such as a container of user 1000 has.
    pub const USER_1000: &str = "/rig-podman/user-1000.slice/session";

    /// Starts its service on a socket that is named for the user `uid`, with one image of a shell and a few programs.
    ///
    /// # Errors
    /// [`Missing::Tool`] where it is not installed, or this user may not run containers.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn start(uid: u32) -> Result<Self, Missing> {
        for program in ["podman", "runc", "busybox"] {
            containers::available(program)?;
        }
        if !rustix::process::geteuid().is_root() {
            return Err(Missing::Tool("only root can run containers in a store of its own".to_owned()));
        }
        let folder = tempfile::Builder::new().prefix("podman-").tempdir().expect("a temporary folder");
        let mut podman = Self { folder, service: None };
        let tar = containers::image(podman.folder.path());
        let imported = podman.cli(&[
            "import",
            "--change",
            "ENV PATH=/bin",
            &tar.display().to_string(),
            containers::IMAGE,
        ]);
        if !imported.ok() {
            return Err(Missing::Tool(format!("podman does not run here: {}", imported.stderr.trim())));
        }
        let socket = podman.folder.path().join(format!("{uid}.sock"));
        let mut command = podman.command();
        command.args(["system", "service", "--time", "0"]).arg(format!("unix://{}", socket.display()));
        podman.service = Some(Process::spawn("podman", &mut command, &podman.folder.path().join("log")));
        eventually("podman to open its socket", READY, || socket.exists().then_some(()));
        Ok(podman)
    }

    /// Where it listens, with `%d` for the user.
    #[must_use]
    pub fn template(&self) -> String {
        format!("unix://{}/%d.sock", self.folder.path().display())
    }

    fn command(&self) -> Command {
        let mut command = Command::new("podman");
        command.arg("--root").arg(self.folder.path().join("root"));
        command.arg("--runroot").arg(self.folder.path().join("run"));
        command.args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--runtime", "runc"]);
        command
    }
}

impl Containers for Podman {
    fn cli(&self, arguments: &[&str]) -> Ran {
        Ran::run(self.command().args(arguments))
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = self.cli(&["rm", "-f", "-a", "-t", "0"]);
        self.service = None;
        containers::unmount_below(self.folder.path());
        let mut sweep = Command::new("find");
        sweep.args([
            "/sys/fs/cgroup",
            "-depth",
            "-type",
            "d",
            "-path",
            "*/rig-podman*",
            "-exec",
            "rmdir",
            "{}",
            ";",
        ]);
        let _ = sweep.output();
    }
}

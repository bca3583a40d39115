//! A container engine of the test's own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::eventually::eventually;
use crate::locate;
use crate::process::Process;
use crate::ran::Ran;
use crate::skip::Missing;

const READY: Duration = Duration::from_secs(60);
/// What the engine's image is called.
const IMAGE: &str = "rig/base:1";

/// Docker's engine in a folder of its own, which keeps its hands off the network of the machine. Its containers go with it.
#[derive(Debug)]
pub struct Docker {
    folder: TempDir,
    engine: Option<Process>,
}

impl Docker {
    /// Starts it, with one image of a shell and a few programs.
    ///
    /// # Errors
    /// [`Missing::Tool`] where it is not installed, or this user may not run containers.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn start() -> Result<Self, Missing> {
        for program in ["dockerd", "docker", "busybox"] {
            available(program)?;
        }
        if !rustix::process::geteuid().is_root() {
            return Err(Missing::Tool("only root can run a container engine".to_owned()));
        }
        let folder = tempfile::Builder::new().prefix("engine-").tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        let mut command = Command::new("dockerd");
        command.args(["--storage-driver", "vfs", "--iptables=false", "--ip6tables=false", "--bridge=none"]);
        command.arg("--data-root").arg(at("data")).arg("--exec-root").arg(at("exec"));
        command.arg("-p").arg(at("pid")).arg("-H").arg(format!("unix://{}", at("docker.sock").display()));
        let engine = Process::spawn("dockerd", &mut command, &at("log"));
        let mut docker = Self { folder, engine: Some(engine) };
        docker.wait()?;
        docker.make_image();
        Ok(docker)
    }

    fn wait(&mut self) -> Result<(), Missing> {
        let ended = eventually("the container engine to answer", READY, || {
            let engine = self.engine.as_mut().expect("it was just started");
            if engine.ended().is_some() {
                return Some(Some(engine.log()));
            }
            self.cli(&["version"]).ok().then_some(None)
        });
        match ended {
            None => Ok(()),
            Some(log) => {
                let last = log.lines().last().unwrap_or_default();
                Err(Missing::Tool(format!("the container engine does not run here: {last}")))
            }
        }
    }

    fn make_image(&self) {
        let root = self.folder.path().join("root");
        fs::create_dir_all(root.join("bin")).expect("a folder can be made in a temporary one");
        let busybox = Ran::run(Command::new("sh").args(["-c", "command -v busybox"])).succeeds().stdout;
        fs::copy(busybox.trim(), root.join("bin/busybox")).expect("the program can be copied");
        for name in ["sh", "sleep", "cat", "true"] {
            symlink("busybox", root.join("bin").join(name)).expect("the name is free");
        }
        let tar = self.folder.path().join("image.tar");
        Ran::run(Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&tar).arg(".")).succeeds();
        self.cli(&["import", "--change", "ENV PATH=/bin", &tar.display().to_string(), IMAGE]).succeeds();
    }

    /// Where it listens: `unix:///path`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }

    /// Runs one of its commands.
    #[must_use = "a test looks at how a command ended"]
    pub fn cli(&self, arguments: &[&str]) -> Ran {
        Ran::run(Command::new("docker").arg("-H").arg(self.address()).args(arguments))
    }

    /// Starts a container that sleeps, with the programs under test and a folder of sockets at `/run/spiffe`.
    ///
    /// # Panics
    /// When it does not start.
    pub fn run(&self, name: &str, sockets: &Path, more: &[&str]) {
        let bind = |from: &Path, to: &str| format!("{}:{to}:ro", from.display());
        let program = locate::bonafide();
        let mut mounts = vec![
            bind(program.parent().expect("a program stands in a folder"), "/programs"),
            format!("{}:/run/spiffe", sockets.display()),
        ];
        // the program is linked with the machine's libraries
        mounts.extend(["/lib", "/lib64", "/usr/lib"].map(|at| bind(Path::new(at), at)));
        let mut arguments = vec!["run", "-d", "--name", name, "--net", "none"];
        mounts.iter().for_each(|mount| arguments.extend(["-v", mount]));
        arguments.extend(more);
        arguments.extend([IMAGE, "/bin/sleep", "3600"]);
        self.cli(&arguments).succeeds();
    }

    /// Asks for an X.509-SVID from within a container.
    #[must_use = "a test looks at how a command ended"]
    pub fn fetch(&self, name: &str) -> Ran {
        let program = locate::bonafide();
        let file = program.file_name().and_then(|file| file.to_str()).expect("the program has a name");
        let program = format!("/programs/{file}");
        self.cli(&[
            "exec",
            name,
            &program,
            "agent",
            "api",
            "fetch",
            "x509",
            "-socketPath",
            "/run/spiffe/api.sock",
        ])
    }

    fn stop(&mut self) {
        let listed = self.cli(&["ps", "-aq"]).stdout;
        let mut remove = vec!["rm", "-f"];
        remove.extend(listed.split_whitespace());
        if remove.len() > 2 {
            let _ = self.cli(&remove);
        }
        if let Some(mut engine) = self.engine.take() {
            engine.signal(rustix::process::Signal::TERM);
            for _ in 0..300 {
                if engine.ended().is_some() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        // an engine that was killed leaves these behind
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        let below = |at: &&str| Path::new(at).starts_with(self.folder.path());
        for at in mounts.lines().rev().filter_map(|line| line.split(' ').nth(1)).filter(below) {
            let _ = Command::new("umount").arg("-l").arg(at).status();
        }
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether a program is on the path.
fn available(program: &str) -> Result<PathBuf, Missing> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.exists());
    found
        .ok_or_else(|| Missing::Tool(format!("{program} is missing: scripts/install-test-tools installs it")))
}

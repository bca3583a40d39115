//! A container engine of the test's own.

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::containers::{self, Containers};
use crate::eventually::eventually;
use crate::process::Process;
use crate::ran::Ran;
use crate::skip::Missing;

const READY: Duration = Duration::from_secs(60);

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
            containers::available(program)?;
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
        let tar = containers::image(self.folder.path());
        self.cli(&["import", "--change", "ENV PATH=/bin", &tar.display().to_string(), containers::IMAGE])
            .succeeds();
    }

    /// Where it listens: `unix:///path`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
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
        containers::unmount_below(self.folder.path());
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Containers for Docker {
    fn cli(&self, arguments: &[&str]) -> Ran {
        Ran::run(Command::new("docker").arg("-H").arg(self.address()).args(arguments))
    }
}

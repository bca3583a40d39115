//! A real Envoy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::eventually::eventually;
use crate::http::{Reply, ask};
use crate::locate;
use crate::process::Process;
use crate::skip::Missing;

const READY: Duration = Duration::from_secs(60);

/// An Envoy in a folder of its own, on ports that it chose itself.
#[derive(Debug)]
pub struct Envoy {
    process: Process,
    admin: u16,
}

impl Envoy {
    /// Says whether it is installed.
    ///
    /// # Errors
    /// [`Missing::Tool`] when it is not.
    pub fn available() -> Result<(), Missing> {
        let path = Self::path();
        match path.exists() {
            true => Ok(()),
            false => Err(Missing::Tool(format!(
                "{} is missing: scripts/install-test-tools installs it",
                path.display()
            ))),
        }
    }

    fn path() -> PathBuf {
        locate::clients_folder().join("envoy/envoy")
    }

    /// Starts it with this configuration, to which its administration on a free port is added, and waits until it is
    /// ready: until all secrets are there that its listeners and clusters name.
    ///
    /// # Panics
    /// When it ends, or is not ready after a minute.
    #[must_use]
    pub fn start(folder: &Path, configuration: &str) -> Self {
        fs::create_dir_all(folder).expect("a new folder can be made in a temporary one");
        let (file, admin) = (folder.join("envoy.yaml"), folder.join("admin"));
        let address = "admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }\n";
        fs::write(&file, format!("{address}{configuration}"))
            .expect("a new file can be written in a temporary folder");
        let mut command = Command::new(Self::path());
        command.arg("-c").arg(&file).arg("--admin-address-path").arg(&admin);
        // One thread is enough; hot restart would have it killed with the thread that starts it.
        command.args(["--concurrency", "1", "--disable-hot-restart", "-l", "info"]);
        let mut process = Process::spawn("envoy", &mut command, &folder.join("log"));
        let port = eventually("Envoy to tell its administration's port", READY, || {
            if let Some(code) = process.ended() {
                panic!("Envoy ended with {code:?}: {}", process.log());
            }
            let text = fs::read_to_string(&admin).ok()?;
            text.rsplit(':').next()?.trim().parse().ok()
        });
        let mut envoy = Self { process, admin: port };
        eventually("Envoy to be ready", READY, || {
            if let Some(code) = envoy.process.ended() {
                panic!("Envoy ended with {code:?}: {}", envoy.log());
            }
            envoy.admin("/ready").is_some_and(|answer| answer.status == 200).then_some(())
        });
        envoy
    }

    /// Asks its administration.
    #[must_use]
    pub fn admin(&self, path: &str) -> Option<Reply> {
        ask(self.admin, path, "")
    }

    /// The port of a listener.
    ///
    /// # Panics
    /// When there is none of that name.
    #[must_use]
    pub fn port(&self, listener: &str) -> u16 {
        let listed = self.admin("/listeners").expect("its administration answers").body;
        let line = listed.lines().find_map(|line| line.strip_prefix(&format!("{listener}::")));
        let port = line.and_then(|address| address.rsplit(':').next()?.trim().parse().ok());
        port.unwrap_or_else(|| panic!("no listener {listener} in {listed}"))
    }

    /// The value of a statistic; zero if there is none of that name.
    #[must_use]
    pub fn statistic(&self, name: &str) -> u64 {
        let Some(answer) = self.admin(&format!("/stats?filter=^{name}$")) else { return 0 };
        answer.body.rsplit(':').next().and_then(|value| value.trim().parse().ok()).unwrap_or_default()
    }

    /// All that it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }
}

//! A real SPIRE server, where `SPIRE_BIN` names a folder with its binaries.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A real SPIRE server.
pub struct Server {
    binary: PathBuf,
    folder: tempfile::TempDir,
    pub port: u16,
    child: Option<Child>,
}

impl Server {
    /// Starts one, or says why not.
    pub fn start(test: &str, lines: &str) -> Option<Self> {
        let Some(folder) = std::env::var_os("SPIRE_BIN") else {
            eprintln!("skipped {test}: SPIRE_BIN names no folder with SPIRE's binaries");
            return None;
        };
        let binary = PathBuf::from(folder).join("spire-server");
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { binary, folder, port, child: None };
        std::fs::write(server.folder.path().join("server.conf"), server.config(lines)).unwrap();
        server.run();
        Some(server)
    }

    /// Starts the process and waits until it is healthy.
    pub fn run(&mut self) {
        let log =
            std::fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let config = self.folder.path().join("server.conf");
        let mut command = Command::new(&self.binary);
        command.args(["run", "-config"]).arg(config).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        for _ in 0..300 {
            if self.command(&["healthcheck"]).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!(
            "the server is not healthy: {}",
            std::fs::read_to_string(self.folder.path().join("log")).unwrap()
        );
    }

    /// Ends the process at once.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn config(&self, lines: &str) -> String {
        let (folder, port) = (self.folder.path().display(), self.port);
        format!(
            r#"server {{
                bind_address = "127.0.0.1"
                bind_port = "{port}"
                socket_path = "{folder}/admin.sock"
                trust_domain = "example.org"
                data_dir = "{folder}"
                log_level = "DEBUG"
                experimental {{ cache_reload_interval = "1s" }}
                {lines}
            }}
            plugins {{
                DataStore "sql" {{ plugin_data {{ database_type = "sqlite3" connection_string = "{folder}/datastore.sqlite3" }} }}
                NodeAttestor "join_token" {{ plugin_data {{}} }}
                KeyManager "disk" {{ plugin_data {{ keys_path = "{folder}/keys.json" }} }}
            }}"#
        )
    }

    /// Runs a command against it.
    pub fn command(&self, arguments: &[&str]) -> Result<String, String> {
        let socket = self.folder.path().join("admin.sock");
        let ran = Command::new(&self.binary).args(arguments).arg("-socketPath").arg(socket).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        match ran.status.success() {
            true => Ok(said),
            false => Err(format!("{said}{}", String::from_utf8_lossy(&ran.stderr))),
        }
    }

    /// A new join token.
    pub fn token(&self) -> String {
        let said = self.command(&["token", "generate"]).unwrap();
        said.lines().find_map(|line| line.strip_prefix("Token: ")).unwrap().trim().to_owned()
    }

    /// The agent that a token becomes.
    pub fn agent_id(token: &str) -> String {
        format!("spiffe://example.org/spire/agent/join_token/{token}")
    }

    /// Creates an entry and returns its id.
    pub fn entry(&self, token: &str, path: &str, more: &[&str]) -> String {
        let (parent, id) = (Self::agent_id(token), format!("spiffe://example.org{path}"));
        let mut arguments = vec!["entry", "create", "-parentID", &parent, "-spiffeID", &id];
        arguments.extend(more);
        if !more.contains(&"-selector") {
            arguments.extend(["-selector", "unix:uid:1000"]);
        }
        let said = self.command(&arguments).unwrap();
        said.lines()
            .find_map(|line| line.strip_prefix("Entry ID"))
            .unwrap()
            .trim_start_matches([' ', ':'])
            .trim()
            .to_owned()
    }

    /// Writes the bundle to a file.
    pub fn bundle(&self) -> PathBuf {
        let path: &Path = self.folder.path();
        let path = path.join("bundle.pem");
        std::fs::write(&path, self.command(&["bundle", "show"]).unwrap()).unwrap();
        path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

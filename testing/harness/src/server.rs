//! One server.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::eventually::eventually;
use crate::options::{NodeAttestor, Options};
use crate::ports::free_port;
use crate::process::Process;
use crate::program::Program;
use crate::ran::Ran;

const READY: Duration = Duration::from_secs(30);

/// A server in a folder of its own, on a port of its own.
#[derive(Debug)]
pub struct Server {
    program: Program,
    folder: PathBuf,
    port: u16,
    environment: Vec<(String, String)>,
    runs_in: Option<PathBuf>,
    process: Option<Process>,
}

impl Server {
    /// Writes its configuration and starts nothing yet.
    ///
    /// # Panics
    /// When the folder cannot be written.
    #[must_use]
    pub fn prepare(options: &Options, folder: &Path) -> Self {
        let server = Self {
            program: options.server,
            folder: folder.to_path_buf(),
            port: free_port(),
            environment: Vec::new(),
            runs_in: None,
            process: None,
        };
        fs::create_dir_all(server.data()).expect("a new folder can be made in a temporary one");
        fs::write(server.config(), server.text(options))
            .expect("a new file can be written in a temporary folder");
        server
    }

    /// Sets a variable of its environment from the next start on.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Runs it in this folder from the next start on.
    pub fn run_in(&mut self, folder: &Path) {
        self.runs_in = Some(folder.to_path_buf());
    }

    /// Starts it and waits until it calls itself healthy.
    ///
    /// # Panics
    /// When it ends, or is not healthy after 30 seconds.
    pub fn start(&mut self) {
        self.spawn();
        eventually("the server to be healthy", READY, || {
            if let Some(code) = self.process().ended() {
                panic!("the server ended with {code:?} before it was healthy");
            }
            self.cli(&["healthcheck"]).ok().then_some(())
        });
    }

    /// Starts it and waits for nothing: for a server that is to fail.
    pub fn spawn(&mut self) {
        let mut command = self.program.server();
        command.arg("run").arg("-config").arg(self.config()).envs(self.environment.iter().cloned());
        if let Some(folder) = &self.runs_in {
            command.current_dir(folder);
        }
        self.process = Some(Process::spawn("server", &mut command, &self.folder.join("log")));
    }

    /// Stops it as an operator would, starts it again and waits until it is healthy.
    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }

    /// Asks it to stop and returns the exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let code = self.process().stop();
        self.process = None;
        code
    }

    /// Kills it where it stands.
    pub fn kill9(&mut self) {
        self.process().kill9();
        self.process = None;
    }

    /// The running process.
    ///
    /// # Panics
    /// When it was not started, or was stopped.
    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("the server was started and not stopped")
    }

    /// Runs one of its own commands on its admin socket.
    #[must_use = "a test looks at how a command ended"]
    pub fn cli(&self, arguments: &[&str]) -> Ran {
        self.cli_of(self.program, arguments)
    }

    /// Runs a command of either implementation on its admin socket.
    #[must_use = "a test looks at how a command ended"]
    pub fn cli_of(&self, program: Program, arguments: &[&str]) -> Ran {
        Ran::run(self.command(program, arguments).env_remove("SPIRE_SERVER_PRIVATE_SOCKET"))
    }

    /// Runs one of its own commands that needs no server.
    #[must_use = "a test looks at how a command ended"]
    pub fn cli_without_socket(&self, arguments: &[&str]) -> Ran {
        Ran::run(self.program.server().args(arguments))
    }

    fn command(&self, program: Program, arguments: &[&str]) -> Command {
        let mut command = program.server();
        command.args(arguments).arg("-socketPath").arg(self.socket());
        command
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Its configuration file, to be rewritten between two starts.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.folder.join("server.conf")
    }

    /// Its admin socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.join("private/api.sock")
    }

    /// Replaces text in its configuration file, for the next start.
    ///
    /// # Panics
    /// When the text is not there.
    pub fn edit_config(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.config()).expect("the configuration was written");
        assert!(text.contains(from), "{from:?} is not in {text}");
        fs::write(self.config(), text.replace(from, to)).expect("the configuration can be written");
    }

    /// Its TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// All that it has logged since its folder was made.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn text(&self, options: &Options) -> String {
        let mut text = String::new();
        let data = self.data();
        let _ = writeln!(
            text,
            "server {{\n  bind_address = \"127.0.0.1\"\n  bind_port = \"{}\"\n  socket_path = \"{}\"\n  \
             trust_domain = \"{}\"\n  data_dir = \"{}\"\n  log_level = \"DEBUG\"\n{}}}\n",
            self.port,
            self.socket().display(),
            options.trust_domain,
            data.display(),
            options.server_lines,
        );
        let keys = match options.key_manager.as_str() {
            "disk" => format!("keys_path = \"{}\"", data.join("keys.json").display()),
            _ => String::new(),
        };
        let attestor = match &options.node_attestor {
            NodeAttestor::JoinToken => "NodeAttestor \"join_token\" {\n    plugin_data {}\n  }",
            NodeAttestor::Custom { server, .. } => server,
        };
        let _ = writeln!(
            text,
            "plugins {{\n  DataStore \"sql\" {{\n    plugin_data {{\n      database_type = \"sqlite3\"\n      \
             connection_string = \"{}\"\n    }}\n  }}\n  KeyManager \"{}\" {{\n    plugin_data {{\n      {keys}\n    \
             }}\n  }}\n  {attestor}\n{}}}",
            data.join("datastore.sqlite3").display(),
            options.key_manager,
            options.server_plugins,
        );
        text.push_str(&options.server_blocks);
        text
    }
}

//! One agent.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::eventually::eventually;
use crate::options::{NodeAttestor, Options};
use crate::process::Process;
use crate::program::Program;
use crate::ran::Ran;

const READY: Duration = Duration::from_secs(30);

/// An agent in a folder of its own.
#[derive(Debug)]
pub struct Agent {
    program: Program,
    folder: PathBuf,
    join_token: Option<String>,
    environment: Vec<(String, String)>,
    runs_in: Option<PathBuf>,
    before: Vec<String>,
    process: Option<Process>,
}

impl Agent {
    /// Writes its configuration and starts nothing yet.
    ///
    /// # Panics
    /// When the folder cannot be written.
    #[must_use]
    pub fn prepare(options: &Options, folder: &Path, server_port: u16, bundle: &Path) -> Self {
        let agent = Self {
            program: options.agent,
            folder: folder.to_path_buf(),
            join_token: None,
            environment: Vec::new(),
            runs_in: None,
            before: Vec::new(),
            process: None,
        };
        fs::create_dir_all(agent.data()).expect("a new folder can be made in a temporary one");
        let text = agent.text(options, server_port, bundle);
        fs::write(agent.config(), text).expect("a new file can be written in a temporary folder");
        agent
    }

    /// Uses this token at each start from now on; one that was used is needed no more.
    pub fn join_with(&mut self, token: &str) {
        self.join_token = Some(token.to_owned());
    }

    /// Sets a variable of its environment from the next start on.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Puts these words before its command lines from the next start on, such as what enters other namespaces.
    pub fn run_by(&mut self, before: Vec<String>) {
        self.before = before;
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
        eventually("the agent to be healthy", READY, || {
            if let Some(code) = self.process().ended() {
                panic!("the agent ended with {code:?} before it was healthy");
            }
            self.cli(&["healthcheck"]).ok().then_some(())
        });
    }

    /// Starts it and waits for nothing: for an agent that is to fail.
    pub fn spawn(&mut self) {
        let mut command = within(&self.before, self.program.agent());
        command.arg("run").arg("-config").arg(self.config()).envs(self.environment.iter().cloned());
        if let Some(token) = &self.join_token {
            command.arg("-joinToken").arg(token);
        }
        if let Some(folder) = &self.runs_in {
            command.current_dir(folder);
        }
        self.process = Some(Process::spawn("agent", &mut command, &self.folder.join("log")));
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
        self.process.as_mut().expect("the agent was started and not stopped")
    }

    /// Runs one of its own commands on its socket.
    #[must_use = "a test looks at how a command ended"]
    pub fn cli(&self, arguments: &[&str]) -> Ran {
        self.cli_of(self.program, arguments)
    }

    /// Runs a command of either implementation on its socket.
    #[must_use = "a test looks at how a command ended"]
    pub fn cli_of(&self, program: Program, arguments: &[&str]) -> Ran {
        let mut command = within(&self.before, program.agent());
        command.args(arguments).arg("-socketPath").arg(self.socket());
        Ran::run(command.env_remove("SPIRE_AGENT_PUBLIC_SOCKET"))
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Its configuration file, to be rewritten between two starts.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.folder.join("agent.conf")
    }

    /// The socket of its Workload API.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.join("public/api.sock")
    }

    /// The value of `SPIFFE_ENDPOINT_SOCKET` for its workloads.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// All that it has logged since its folder was made.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn text(&self, options: &Options, server_port: u16, bundle: &Path) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "agent {{\n  server_address = \"127.0.0.1\"\n  server_port = \"{server_port}\"\n  socket_path = \"{}\"\n  \
             trust_domain = \"{}\"\n  data_dir = \"{}\"\n  trust_bundle_path = \"{}\"\n  log_level = \"DEBUG\"\n{}}}\n",
            self.socket().display(),
            options.trust_domain,
            self.data().display(),
            bundle.display(),
            options.agent_lines,
        );
        let keys = match options.key_manager.as_str() {
            "disk" => format!("directory = \"{}\"", self.data().display()),
            _ => String::new(),
        };
        let keys = format!(
            "KeyManager \"{}\" {{\n    plugin_data {{\n      {keys}\n    }}\n  }}",
            options.key_manager
        );
        let keys = options.agent_keys.as_ref().unwrap_or(&keys);
        let attestor = match &options.node_attestor {
            NodeAttestor::JoinToken => "NodeAttestor \"join_token\" {\n    plugin_data {}\n  }",
            NodeAttestor::Custom { agent, .. } => agent,
        };
        let _ = writeln!(
            text,
            "plugins {{\n  {keys}\n  {attestor}\n  WorkloadAttestor \"unix\" {{\n    plugin_data {{}}\n  }}\n{}}}",
            options.agent_plugins,
        );
        text.push_str(&options.agent_blocks);
        text
    }
}

/// A command by way of another.
fn within(before: &[String], command: Command) -> Command {
    let Some((program, words)) = before.split_first() else { return command };
    let mut outer = Command::new(program);
    outer.args(words).arg(command.get_program()).args(command.get_args());
    outer
}

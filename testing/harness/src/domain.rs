//! A trust domain: one server, and one agent on "another" node.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::agent::Agent;
use crate::eventually::eventually;
use crate::options::{NodeAttestor, Options};
use crate::program::Program;
use crate::ran::Ran;
use crate::server::Server;

/// A running trust domain in a temporary folder. Agents go first when it is dropped.
#[derive(Debug)]
pub struct Domain {
    agents: Vec<Agent>,
    server: Server,
    options: Options,
    folder: TempDir,
}

impl Domain {
    /// Starts a server, and an agent that has attested and is an alias of `spiffe://<trust domain>/node`.
    ///
    /// # Panics
    /// When either does not get ready.
    #[must_use]
    pub fn start(options: Options) -> Self {
        let mut domain = Self::start_server(options);
        domain.add_agent();
        domain
    }

    /// Starts a server alone.
    ///
    /// # Panics
    /// When it does not get ready.
    #[must_use]
    pub fn start_server(options: Options) -> Self {
        let mut domain = Self::prepare(options);
        domain.server.start();
        domain
    }

    /// Writes the server's configuration and starts nothing, so that a test can first spoil something.
    ///
    /// # Panics
    /// When no temporary folder can be made.
    #[must_use]
    pub fn prepare(options: Options) -> Self {
        let folder = tempfile::Builder::new().prefix("bonafide-").tempdir().expect("a temporary folder");
        let server = Server::prepare(&options, &folder.path().join("server"));
        Self { agents: Vec::new(), server, options, folder }
    }

    /// Starts one more agent. The first is node `node`, the second `node-1`, and so on.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn add_agent(&mut self) -> &mut Agent {
        self.prepare_agent().start();
        self.agents.last_mut().expect("it was just pushed")
    }

    /// Writes the configuration of one more agent, with its token, and does not start it.
    ///
    /// # Panics
    /// When the server gives no bundle or no token.
    pub fn prepare_agent(&mut self) -> &mut Agent {
        let bundle = self.write_bundle();
        let name = match self.agents.len() {
            0 => "node".to_owned(),
            further => format!("node-{further}"),
        };
        let folder = self.folder.path().join(&name);
        let mut agent = Agent::prepare(&self.options, &folder, self.server.port(), &bundle);
        if self.options.node_attestor == NodeAttestor::JoinToken {
            agent.join_with(&self.join_token(&self.id(&name)));
        }
        self.agents.push(agent);
        self.agents.last_mut().expect("it was just pushed")
    }

    /// A fresh join token for a node that is to have this alias.
    ///
    /// # Panics
    /// When the server gives none.
    #[must_use]
    pub fn join_token(&self, alias: &str) -> String {
        let printed = self.cli(&["token", "generate", "-spiffeID", alias]).succeeds().stdout;
        let token = printed.lines().find_map(|line| line.strip_prefix("Token: "));
        token.unwrap_or_else(|| panic!("no line 'Token: …' in {printed:?}")).trim().to_owned()
    }

    fn write_bundle(&self) -> PathBuf {
        let path = self.folder.path().join("bundle.pem");
        let pem = self.cli(&["bundle", "show"]).succeeds().stdout;
        fs::write(&path, pem).expect("a file can be written in a temporary folder");
        path
    }

    /// `spiffe://<trust domain>/<path>`
    #[must_use]
    pub fn id(&self, path: &str) -> String {
        format!("spiffe://{}/{path}", self.options.trust_domain)
    }

    /// The selector of the processes that this test starts.
    #[must_use]
    pub fn own_selector() -> String {
        format!("unix:uid:{}", rustix::process::getuid().as_raw())
    }

    /// Creates an entry below the first node for processes of this user, and waits until the agent serves it.
    /// Returns the entry's id.
    ///
    /// # Panics
    /// When the entry is refused, or not served after 30 seconds.
    pub fn workload(&self, id: &str, more: &[&str]) -> String {
        let entry = self.entry(id, more);
        eventually(&format!("the agent to serve {id}"), Duration::from_secs(30), || {
            let fetched = self.agent().cli(&["api", "fetch", "x509"]);
            (fetched.ok() && fetched.stdout.contains(id)).then_some(())
        });
        entry
    }

    /// Creates an entry below the first node for processes of this user. Returns the entry's id.
    ///
    /// # Panics
    /// When it is refused.
    pub fn entry(&self, id: &str, more: &[&str]) -> String {
        let (parent, selector) = (self.id("node"), Self::own_selector());
        let mut arguments =
            vec!["entry", "create", "-parentID", &parent, "-spiffeID", id, "-selector", &selector];
        arguments.extend(more);
        let printed = self.cli(&arguments).succeeds();
        let entry = printed.stdout.lines().find_map(|line| line.strip_prefix("Entry ID"));
        let entry = entry.unwrap_or_else(|| panic!("no line 'Entry ID' in {printed}"));
        entry.trim_start_matches([' ', ':']).trim().to_owned()
    }

    /// Runs a server command on the admin socket.
    #[must_use = "a test looks at how a command ended"]
    pub fn cli(&self, arguments: &[&str]) -> Ran {
        self.server.cli(arguments)
    }

    /// Runs a server command of either implementation on the admin socket.
    #[must_use = "a test looks at how a command ended"]
    pub fn cli_of(&self, program: Program, arguments: &[&str]) -> Ran {
        self.server.cli_of(program, arguments)
    }

    /// The server.
    #[must_use]
    pub fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    /// The server, to look at.
    #[must_use]
    pub fn peek_server(&self) -> &Server {
        &self.server
    }

    /// The server's TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// The first agent, to look at.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn agent(&self) -> &Agent {
        self.agents.first().expect("the domain has an agent")
    }

    /// An agent, to stop or restart, by the order of their start.
    ///
    /// # Panics
    /// When there are not as many.
    pub fn agent_mut(&mut self, index: usize) -> &mut Agent {
        self.agents.get_mut(index).expect("the domain has that many agents")
    }

    /// Where everything of this domain stands.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

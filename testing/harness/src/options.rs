//! What a test wants to be different.

use crate::program::Program;

/// How agents prove which node they are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeAttestor {
    /// A token from `token generate`, good once.
    JoinToken,
    /// A plugin block for each side, for what the harness does not know.
    Custom {
        /// The server's `NodeAttestor` block.
        server: String,
        /// The agent's.
        agent: String,
    },
}

/// A trust domain to start; the default is Bonafide on both sides with keys on disk and SPIRE's own times.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the trust domain.
    pub trust_domain: String,
    /// Whose server.
    pub server: Program,
    /// Whose agent.
    pub agent: Program,
    /// How the agent attests.
    pub node_attestor: NodeAttestor,
    /// The server's and the agent's `KeyManager`: `disk` or `memory`.
    pub key_manager: String,
    /// The agent's `KeyManager` block, if it is another than the server's.
    pub agent_keys: Option<String>,
    /// Further plugin blocks of the server.
    pub server_plugins: String,
    /// Further plugin blocks of the agent.
    pub agent_plugins: String,
    /// Further lines of the `server` block.
    pub server_lines: String,
    /// Further lines of the `agent` block.
    pub agent_lines: String,
    /// Further blocks at the top of the server's file.
    pub server_blocks: String,
    /// Further blocks at the top of the agent's file.
    pub agent_blocks: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            trust_domain: "example.org".to_owned(),
            server: Program::Bonafide,
            agent: Program::Bonafide,
            node_attestor: NodeAttestor::JoinToken,
            key_manager: "disk".to_owned(),
            agent_keys: None,
            server_plugins: String::new(),
            agent_plugins: String::new(),
            server_lines: String::new(),
            agent_lines: String::new(),
            server_blocks: String::new(),
            agent_blocks: String::new(),
        }
    }
}

impl Options {
    /// Whose server and whose agent.
    #[must_use]
    pub fn programs(mut self, server: Program, agent: Program) -> Self {
        self.server = server;
        self.agent = agent;
        self
    }

    /// One more plugin block of the server.
    #[must_use]
    pub fn server_plugin(mut self, block: &str) -> Self {
        self.server_plugins.push_str(&format!("  {block}\n"));
        self
    }

    /// One more plugin block of the agent.
    #[must_use]
    pub fn agent_plugin(mut self, block: &str) -> Self {
        self.agent_plugins.push_str(&format!("  {block}\n"));
        self
    }

    /// One more line of the `server` block.
    #[must_use]
    pub fn server_line(mut self, line: &str) -> Self {
        self.server_lines.push_str(&format!("  {line}\n"));
        self
    }

    /// One more line of the `agent` block.
    #[must_use]
    pub fn agent_line(mut self, line: &str) -> Self {
        self.agent_lines.push_str(&format!("  {line}\n"));
        self
    }

    /// One more block at the top of the server's file.
    #[must_use]
    pub fn server_block(mut self, block: &str) -> Self {
        self.server_blocks.push_str(&format!("{block}\n"));
        self
    }

    /// One more block at the top of the agent's file.
    #[must_use]
    pub fn agent_block(mut self, block: &str) -> Self {
        self.agent_blocks.push_str(&format!("{block}\n"));
        self
    }

    /// SVIDs that live 20 seconds, so that they are renewed every few, below an authority that lives long.
    #[must_use]
    pub fn short_svids(self) -> Self {
        self.server_line("default_x509_svid_ttl = \"20s\"").server_line("default_jwt_svid_ttl = \"20s\"")
    }

    /// A signing authority that lives two minutes: the next one is prepared after one minute, and signs after 100 seconds.
    #[must_use]
    pub fn short_authority(self) -> Self {
        self.short_svids().server_line("ca_ttl = \"120s\"").server_line("agent_ttl = \"20s\"")
    }
}

//! The folder of a trust domain on one machine.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use config::agent::AgentSettings;
use config::server::ServerSettings;
use spiffe::{SpiffeId, TrustDomain};

use super::under;
use crate::start::Failure;

/// The longest path of a socket.
const MAX_SOCKET: usize = 100;

/// The folder and what is in it.
pub(crate) struct Files {
    root: PathBuf,
    sockets: PathBuf,
    trust_domain: TrustDomain,
}

impl Files {
    /// Makes what is not there yet: the folder, and the two configuration files.
    pub(crate) fn lay(dir: &Path, trust_domain: &str, named: bool) -> Result<Self, Failure> {
        make(dir)?;
        let root = fs::canonicalize(dir)?;
        let wanted =
            TrustDomain::parse(trust_domain).map_err(|e| format!("-trustDomain {trust_domain}: {e}"))?;
        let note = under(&root, "trust_domain");
        let trust_domain = match fs::read_to_string(&note) {
            Ok(text) => {
                let there =
                    TrustDomain::parse(text.trim()).map_err(|e| format!("{}: {e}", note.display()))?;
                if named && there != wanted {
                    return Err(format!(
                        "{} holds trust domain {there}, not {wanted}: use another -dir for another trust domain",
                        root.display()
                    )
                    .into());
                }
                there
            }
            Err(_) => {
                fs::write(&note, format!("{wanted}\n"))?;
                wanted
            }
        };
        let files = Self { sockets: sockets(&root)?, root, trust_domain };
        for part in ["server", "agent"] {
            make(&under(&files.root, part))?;
        }
        files.write_once("server.conf", &files.server_config())?;
        files.write_once("agent.conf", &files.agent_config())?;
        Ok(files)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.root.clone()
    }

    pub(crate) fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// The ID that stands for this machine, whatever its agent is called.
    pub(crate) fn node_id(&self) -> Result<SpiffeId, Failure> {
        Ok(SpiffeId::new(&self.trust_domain, "/node/here")?)
    }

    pub(crate) fn admin_socket(&self) -> PathBuf {
        under(&self.sockets, "server.sock")
    }

    pub(crate) fn workload_socket(&self) -> PathBuf {
        under(&self.sockets, "agent.sock")
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        under(&self.root, "bonafide.log")
    }

    pub(crate) fn log_options(&self) -> kit::log::Options {
        kit::log::Options { output: kit::log::Output::File(self.log_file()), ..kit::log::Options::default() }
    }

    pub(crate) fn server_settings(&self) -> Result<ServerSettings, Failure> {
        let path = under(&self.root, "server.conf");
        let source = config::read(&path, false)?;
        Ok(config::server::load(&source, &config::server::Overrides::default())?)
    }

    pub(crate) fn agent_settings(
        &self,
        port: u16,
        join_token: Option<String>,
    ) -> Result<AgentSettings, Failure> {
        let source = config::read(&under(&self.root, "agent.conf"), false)?;
        let overrides =
            config::agent::Overrides { server_port: Some(port.into()), join_token, ..Default::default() };
        Ok(config::agent::load(&source, &overrides)?)
    }

    pub(crate) fn write_bootstrap(&self, pem: &str) -> Result<(), Failure> {
        Ok(fs::write(under(&self.root, "agent/bootstrap.pem"), pem)?)
    }

    pub(crate) fn agent_has_state(&self) -> bool {
        under(&self.root, "agent/agent-data.json").exists()
    }

    /// Lets the agent begin anew.
    pub(crate) fn forget_agent(&self) -> Result<(), Failure> {
        for name in ["agent/agent-data.json", "agent/keys.json"] {
            match fs::remove_file(under(&self.root, name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn slow(&self, what: &str) -> Failure {
        format!("{what} did not come up within 30 seconds; its log is {}", self.log_file().display()).into()
    }

    fn write_once(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = under(&self.root, name);
        match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => Ok(file.write_all(text.as_bytes())?),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn server_config(&self) -> String {
        let root = self.root.display();
        format!(
            r#"# Written once by `bonafide up`; `bonafide server run -config` takes it too.
server {{
    trust_domain = "{td}"
    bind_address = "127.0.0.1"
    bind_port = "8081"
    socket_path = "{socket}"
    data_dir = "{root}/server"
    log_file = "{log}"
}}

plugins {{
    DataStore "sql" {{
        plugin_data {{
            database_type = "sqlite3"
            connection_string = "{root}/server/datastore.sqlite3"
        }}
    }}
    KeyManager "disk" {{
        plugin_data {{
            keys_path = "{root}/server/keys.json"
        }}
    }}
    NodeAttestor "join_token" {{
        plugin_data {{}}
    }}
}}
"#,
            td = self.trust_domain,
            socket = self.admin_socket().display(),
            log = self.log_file().display(),
        )
    }

    fn agent_config(&self) -> String {
        let root = self.root.display();
        format!(
            r#"# Written once by `bonafide up`; `bonafide agent run -config` takes it too.
agent {{
    trust_domain = "{td}"
    server_address = "127.0.0.1"
    server_port = "8081"
    socket_path = "{socket}"
    data_dir = "{root}/agent"
    trust_bundle_path = "{root}/agent/bootstrap.pem"
    log_file = "{log}"
}}

plugins {{
    KeyManager "disk" {{
        plugin_data {{
            directory = "{root}/agent"
        }}
    }}
    NodeAttestor "join_token" {{
        plugin_data {{}}
    }}
    WorkloadAttestor "unix" {{
        plugin_data {{
            discover_workload_path = true
            workload_size_limit = -1
        }}
    }}
}}
"#,
            td = self.trust_domain,
            socket = self.workload_socket().display(),
            log = self.log_file().display(),
        )
    }
}

fn make(dir: &Path) -> Result<(), Failure> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| {
        format!("cannot make the folder {}: {e}; choose another with -dir", dir.display()).into()
    })
}

/// Sockets go into the folder, unless its path is longer than the kernel allows.
fn sockets(root: &Path) -> Result<PathBuf, Failure> {
    if root.as_os_str().len() + "/server.sock".len() <= MAX_SOCKET {
        return Ok(root.to_owned());
    }
    let base = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let name = root.to_string_lossy().bytes().fold(5381_u64, |sum, b| sum.wrapping_mul(33) ^ u64::from(b));
    let dir = base.join(format!("bonafide-{name:x}"));
    make(&dir)?;
    Ok(dir)
}

//! A server and an agent as processes, in a folder that goes with them.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::admin::{self, Admin};
use crate::fault::Fault;
use crate::process::Process;

/// How long a part may take to come up.
const PATIENCE: u64 = 120;
/// Between two looks at one that comes up.
const PAUSE: Duration = Duration::from_millis(5);

/// Whose programs.
#[derive(Clone, Debug)]
pub(super) enum Programs {
    /// One of ours, which is server and agent.
    Bonafide(PathBuf),
    /// SPIRE's, in this folder.
    Spire(PathBuf),
}

/// SPIRE's programs, in the folder that `SPIRE_BIN` names.
pub(super) fn spire() -> Option<Programs> {
    let folder = std::env::var_os("SPIRE_BIN").filter(|folder| !folder.is_empty())?;
    Some(Programs::Spire(folder.into()))
}

impl Programs {
    /// The program of a part, without its flags.
    fn command(&self, part: &str) -> Command {
        match self {
            Self::Bonafide(program) => {
                let mut command = Command::new(program);
                command.arg(part);
                command
            }
            Self::Spire(folder) => Command::new(folder.join(format!("spire-{part}"))),
        }
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::Bonafide(path) | Self::Spire(path) => path.clone(),
        }
    }
}

/// Both processes. Dropped, it ends them and removes the folder.
pub(super) struct Domain {
    programs: Programs,
    folder: PathBuf,
    address: SocketAddr,
    server: Option<Child>,
    agent: Option<Child>,
}

impl Domain {
    /// Makes the folder and writes both configurations.
    pub(super) fn prepare(programs: Programs) -> Result<Self, Fault> {
        let folder = std::env::temp_dir().join(format!("bonafide-bench-{}", admin::run_name()));
        let file = |doing, path: &Path| {
            let path = path.to_owned();
            move |cause| Fault::File { doing, path, cause }
        };
        fs::create_dir(&folder).map_err(file("making", &folder))?;
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let address = free.map_err(file("finding a free port for", &folder))?;
        let domain = Self { programs, folder, address, server: None, agent: None };
        for (name, text) in [("server.conf", domain.server_text()), ("agent.conf", domain.agent_text())] {
            let path = domain.folder.join(name);
            fs::write(&path, text).map_err(file("writing", &path))?;
        }
        Ok(domain)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn server_socket(&self) -> PathBuf {
        self.folder.join("server.sock")
    }

    pub(super) fn agent_socket(&self) -> PathBuf {
        self.folder.join("agent.sock")
    }

    pub(super) fn server(&self) -> Result<Process, Fault> {
        self.process("server", self.server.as_ref())
    }

    pub(super) fn agent(&self) -> Result<Process, Fault> {
        self.process("agent", self.agent.as_ref())
    }

    fn process(&self, part: &'static str, child: Option<&Child>) -> Result<Process, Fault> {
        child.map(|child| Process(child.id())).ok_or_else(|| Fault::Ended { part, log: self.log(part) })
    }

    pub(super) fn start_server(&mut self) -> Result<(), Fault> {
        self.server = Some(self.spawn("server", &[])?);
        Ok(())
    }

    /// Starts the agent and waits for its socket. The first time it attests with a token; then it goes on as who it is.
    pub(super) async fn start_agent(&mut self) -> Result<(), Fault> {
        let admin = Admin::connect(&self.server_socket()).await?;
        let path = self.folder.join("bundle.pem");
        fs::write(&path, admin.bundle().await?.to_pem()).map_err(|cause| Fault::File {
            doing: "writing",
            path,
            cause,
        })?;
        self.agent = Some(match self.folder.join("agent/agent-data.json").exists() {
            true => self.spawn("agent", &[])?,
            false => self.spawn("agent", &["-joinToken", &admin.join_token().await?])?,
        });
        let start = Instant::now();
        while !self.agent_socket().exists() {
            self.look("agent", start).await?;
        }
        Ok(())
    }

    pub(super) fn stop_agent(&mut self) {
        if let Some(child) = self.agent.take() {
            stop(child);
        }
    }

    pub(super) fn stop_server(&mut self) {
        if let Some(child) = self.server.take() {
            stop(child);
        }
    }

    /// Waits a little for a part that comes up; fails when it has ended or takes too long.
    pub(super) async fn look(&mut self, part: &'static str, since: Instant) -> Result<(), Fault> {
        let child = if part == "server" { &mut self.server } else { &mut self.agent };
        if !matches!(child.as_mut().map(Child::try_wait), Some(Ok(None))) {
            return Err(Fault::Ended { part, log: self.log(part) });
        }
        if since.elapsed() > Duration::from_secs(PATIENCE) {
            return Err(Fault::Slow { what: format!("start of the {part}"), seconds: PATIENCE });
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    fn spawn(&self, part: &str, more: &[&str]) -> Result<Child, Fault> {
        let path = self.folder.join(format!("{part}.log"));
        let open = || {
            let log = File::options().create(true).append(true).open(&path)?;
            let config = self.folder.join(format!("{part}.conf"));
            let mut command = self.programs.command(part);
            command.args(["run", "-config"]).arg(config).args(more);
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()
        };
        open().map_err(|cause| Fault::File { doing: "running", path: self.programs.path(), cause })
    }

    fn log(&self, part: &str) -> String {
        let text = fs::read_to_string(self.folder.join(format!("{part}.log"))).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(10)..).unwrap_or_default().join("\n")
    }

    fn server_text(&self) -> String {
        let (folder, socket) = (self.folder.display(), self.server_socket());
        format!(
            r#"server {{
    trust_domain = "bench.example"
    bind_address = "127.0.0.1"
    bind_port = "{port}"
    socket_path = "{socket}"
    data_dir = "{folder}"
    log_level = "WARN"
    ratelimit {{
        attestation = false
        signing = false
    }}
}}
plugins {{
    DataStore "sql" {{
        plugin_data {{
            database_type = "sqlite3"
            connection_string = "{folder}/datastore.sqlite3"
        }}
    }}
    KeyManager "disk" {{
        plugin_data {{
            keys_path = "{folder}/keys.json"
        }}
    }}
    NodeAttestor "join_token" {{
        plugin_data {{}}
    }}
}}
"#,
            port = self.address.port(),
            socket = socket.display(),
        )
    }

    fn agent_text(&self) -> String {
        let (folder, socket) = (self.folder.display(), self.agent_socket());
        format!(
            r#"agent {{
    trust_domain = "bench.example"
    server_address = "127.0.0.1"
    server_port = "{port}"
    socket_path = "{socket}"
    data_dir = "{folder}/agent"
    trust_bundle_path = "{folder}/bundle.pem"
    log_level = "WARN"
    x509_svid_cache_max_size = 100000
}}
plugins {{
    KeyManager "disk" {{
        plugin_data {{
            directory = "{folder}/agent"
        }}
    }}
    NodeAttestor "join_token" {{
        plugin_data {{}}
    }}
    WorkloadAttestor "unix" {{
        plugin_data {{}}
    }}
}}
"#,
            port = self.address.port(),
            socket = socket.display(),
        )
    }
}

impl Drop for Domain {
    fn drop(&mut self) {
        self.stop_agent();
        self.stop_server();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Asks a child to end, and makes it.
fn stop(mut child: Child) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    let end = Instant::now() + Duration::from_secs(10);
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
}

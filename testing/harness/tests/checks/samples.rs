//! The sample configuration of SPIRE's release, in the folder `conf` beside that of its programs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::{Missing, Process, Ran, eventually, free_port};

const READY: Duration = Duration::from_secs(30);

/// The folder `conf` of the release that `SPIRE_BIN` is part of.
pub(crate) fn folder() -> Result<PathBuf, Missing> {
    let programs = std::env::var_os("SPIRE_BIN").map(PathBuf::from);
    let programs = programs.ok_or_else(|| Missing::Peer("SPIRE_BIN is not set".into()))?;
    let folder = programs.join("../conf");
    let absent = || {
        Missing::Peer(format!("there is no {}, as in a release of SPIRE", folder.join("server").display()))
    };
    folder.join("server/server.conf").canonicalize().map_err(|_| absent())?;
    folder.canonicalize().map_err(|_| absent())
}

fn bonafide(role: &str, command: &str, config: &Path) -> Command {
    let mut line = Command::new(Process::bonafide());
    line.args([role, command, "-config"]).arg(config);
    line
}

/// Both samples are valid; the server's warns of its lifetimes alone.
pub(crate) fn samples_are_valid(conf: &Path) {
    let server = Ran::run(&mut bonafide("server", "validate", &conf.join("server/server.conf"))).succeeds();
    let warnings: Vec<&str> = server.stderr.lines().collect();
    assert!(warnings.iter().all(|line| line.contains("_ttl ")), "{server}");
    let agent = Ran::run(&mut bonafide("agent", "validate", &conf.join("agent/agent.conf"))).succeeds();
    assert!(agent.stderr.lines().all(|line| line.contains("insecure_bootstrap")), "{agent}");
}

/// A server and an agent start from the samples as they are, with flags for what must differ on this machine.
pub(crate) fn samples_start(conf: &Path) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (admin, public) = (folder.path().join("server.sock"), folder.path().join("agent.sock"));
    let port = free_port().to_string();
    let cli = |role: &str, words: &[&str], socket: &Path| {
        Ran::run(Command::new(Process::bonafide()).arg(role).args(words).arg("-socketPath").arg(socket))
    };

    let mut line = bonafide("server", "run", &conf.join("server/server.conf"));
    line.args(["-serverPort", &port, "-socketPath"]).arg(&admin).current_dir(folder.path());
    let _server = Process::spawn("the sample server", &mut line, &folder.path().join("server.log"));
    eventually("the sample server", READY, || cli("server", &["healthcheck"], &admin).ok().then_some(()));

    let token = cli("server", &["token", "generate"], &admin).succeeds().stdout;
    let token = token.lines().find_map(|line| line.strip_prefix("Token: ")).expect("a token is printed");
    let mut line = bonafide("agent", "run", &conf.join("agent/agent.conf"));
    line.args(["-serverPort", &port, "-joinToken", token, "-socketPath"])
        .arg(&public)
        .current_dir(folder.path());
    let _agent = Process::spawn("the sample agent", &mut line, &folder.path().join("agent.log"));
    eventually("the sample agent", READY, || cli("agent", &["healthcheck"], &public).ok().then_some(()));
}

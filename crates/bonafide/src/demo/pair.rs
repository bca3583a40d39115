//! Both programs as children of this process.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use proto::spire::api::types;
use rustix::process::{Pid, Signal, kill_process};
use spiffe::{SpiffeId, TrustDomain};

use super::tell;
use crate::start::Failure;

const GREETER: &str = "greeter";
const CALLER: &str = "caller";
/// Short, so that a rotation is seen every ten seconds or so.
const X509_SVID_TTL: i32 = 20;
/// How long a child may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(2);

/// The two running programs. Dropped, it ends them.
pub(crate) struct Pair {
    children: Vec<Child>,
}

impl Pair {
    /// The entries that give the two their identities on the node `parent`, for a pair in `dir`.
    pub(crate) fn entries(dir: &Path, trust_domain: &TrustDomain, parent: &SpiffeId) -> Vec<types::Entry> {
        let entry = |name: &str| types::Entry {
            parent_id: Some(wire(parent.trust_domain().as_str(), parent.path())),
            spiffe_id: Some(wire(trust_domain.as_str(), &path(name))),
            selectors: vec![types::Selector {
                r#type: "unix".to_owned(),
                value: format!("path:{}", program(dir, name).display()),
            }],
            x509_svid_ttl: X509_SVID_TTL,
            hint: name.to_owned(),
            ..types::Entry::default()
        };
        vec![entry(GREETER), entry(CALLER)]
    }

    /// Starts the two with the Workload API at `socket`. `dir` is the folder that [`Pair::entries`] was given.
    pub(crate) fn start(dir: &Path, socket: &Path, trust_domain: &TrustDomain) -> Result<Self, Failure> {
        let (greeter, caller) = (place(dir, GREETER)?, place(dir, CALLER)?);
        let (greeter_id, caller_id) = (id(trust_domain, GREETER)?, id(trust_domain, CALLER)?);
        let mut pair = Self { children: Vec::new() };
        let mut said = pair.spawn(&greeter, GREETER, socket, &caller_id, ["-listen", "127.0.0.1:0"])?;
        let mut first = String::new();
        said.read_line(&mut first)?;
        let Some(address) = first.trim_end().strip_prefix(tell::LISTENING) else {
            return Err(
                format!("the greeter of the demo did not come up; it said {:?}", first.trim_end()).into()
            );
        };
        let calls = pair.spawn(&caller, CALLER, socket, &greeter_id, ["-connect", address])?;
        show(GREETER, said)?;
        show(CALLER, calls)?;
        Ok(pair)
    }

    fn spawn(
        &mut self,
        program: &Path,
        name: &str,
        socket: &Path,
        peer: &SpiffeId,
        place: [&str; 2],
    ) -> Result<BufReader<ChildStdout>, Failure> {
        let mut child = Command::new(program)
            .args(["demo", name, "-name", name, "-peer", peer.as_str()])
            .args(place)
            .arg("-socket")
            .arg(socket)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("cannot run {}: {e}", program.display()))?;
        let out = child.stdout.take();
        self.children.push(child);
        Ok(BufReader::new(out.ok_or("a child of the demo has no output")?))
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for child in &mut self.children {
            // Either of the two is enough to end it.
            drop(child.stdin.take());
            if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::TERM);
            }
        }
        let end = Instant::now() + PATIENCE;
        for child in &mut self.children {
            while matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Shows what a child says, each line under its name.
fn show(name: &'static str, said: BufReader<ChildStdout>) -> Result<(), Failure> {
    let print = move || {
        for line in said.lines().map_while(Result::ok) {
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "{name:7} | {}", tell::paint(&line)).and_then(|()| out.flush());
        }
    };
    std::thread::Builder::new().name(format!("demo-{name}")).spawn(print)?;
    Ok(())
}

/// Puts this program where the entry of `name` looks for it: under a name of its own, so that the two are told apart by
/// their executables.
fn place(dir: &Path, name: &str) -> Result<PathBuf, Failure> {
    let (own, at) = (std::env::current_exe()?, program(dir, name));
    let put = || -> std::io::Result<()> {
        fs::create_dir_all(at.parent().unwrap_or(dir))?;
        match fs::remove_file(&at) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // On another file system, or where links to others' files are not allowed, a copy does.
        fs::hard_link(&own, &at).or_else(|_| fs::copy(&own, &at).map(drop))
    };
    put().map_err(|e| {
        format!("cannot put the demo's program at {}: {e}; choose another -dir", at.display())
    })?;
    Ok(at)
}

fn program(dir: &Path, name: &str) -> PathBuf {
    dir.join("demo").join(name)
}

fn path(name: &str) -> String {
    format!("/demo/{name}")
}

fn id(trust_domain: &TrustDomain, name: &str) -> Result<SpiffeId, Failure> {
    Ok(SpiffeId::new(trust_domain, &path(name))?)
}

fn wire(trust_domain: &str, path: &str) -> types::Spiffeid {
    types::Spiffeid { trust_domain: trust_domain.to_owned(), path: path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entries_tell_the_two_apart_by_their_executables() {
        let td = TrustDomain::parse("example.org").unwrap();
        let parent = SpiffeId::new(&td, "/node/here").unwrap();
        let entries = Pair::entries(Path::new("/x"), &td, &parent);
        let selectors: Vec<_> = entries.iter().map(|e| e.selectors[0].value.as_str()).collect();
        assert_eq!(selectors, ["path:/x/demo/greeter", "path:/x/demo/caller"]);
        let hints: Vec<_> = entries.iter().map(|e| e.hint.as_str()).collect();
        assert_eq!(hints, [GREETER, CALLER]);
    }
}

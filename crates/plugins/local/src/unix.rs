//! Workload attestation by what the kernel says of a process: its user, its groups and its executable.
//!
//! Users and groups keep workloads apart. `path` and `sha256` say which program the process runs, not that nobody else
//! has a hand in it: a process of the same user may start that program under its own control, or leave it an open
//! connection. Use them together with `uid`, one user for each program.

mod executable;
mod names;
mod surroundings;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use model::ports::{AttestError, Peer, WorkloadAttestor};
use model::{Selector, Selectors};

use crate::proc::Status;
use executable::{Digests, Executable};
use names::Names;
use surroundings::Label;

const NAME: &str = "unix";
/// How often a process that changes under our eyes is looked at again.
const LOOKS: usize = 4;

/// The settings of the attestor. Those that SPIRE 1.16 has are named as there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whether to add the selectors `path` and `sha256`. A process whose executable cannot be read gets no selector
    /// at all then.
    pub discover_workload_path: bool,
    /// The largest executable that is hashed, in bytes; a process with a larger one gets no selector at all. Zero
    /// sets no limit; below zero nothing is hashed and `sha256` is left out.
    pub workload_size_limit: i64,
    /// Whether to add `parent-path`: the executable of the process that began this one. Not in SPIRE.
    pub discover_parent_path: bool,
    /// Whether to add `ancestor-path` for the executable of each process that this one descends from. Not in SPIRE.
    pub discover_ancestor_paths: bool,
    /// Whether to add `cgroup` for each control group that the process is in. Not in SPIRE.
    pub discover_cgroup: bool,
    /// Whether to add `selinux-label` or `apparmor-label`: what the security module calls the process. Not in SPIRE.
    pub discover_label: bool,
    /// Where the process file system is mounted; SPIRE takes it from `HOST_PROC`.
    pub proc: PathBuf,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            discover_workload_path: false,
            workload_size_limit: 0,
            discover_parent_path: false,
            discover_ancestor_paths: false,
            discover_cgroup: false,
            discover_label: false,
            proc: PathBuf::from("/proc"),
        }
    }
}

/// The attestor `unix`.
pub struct Unix {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    names: Names,
    digests: Digests,
}

impl Unix {
    /// With these settings.
    pub fn new(settings: Settings) -> Self {
        Self { inner: Arc::new(Inner { settings, names: Names::default(), digests: Digests::default() }) }
    }
}

#[async_trait]
impl WorkloadAttestor for Unix {
    fn name(&self) -> &'static str {
        NAME
    }

    /// `peer` is asked before and after, so that whatever was read in
    /// between was read of this process and not of a later one with its pid.
    ///
    /// A process that executed another program has that program's selectors. One that changed its user or group since
    /// it connected is refused until it connects again: it may have executed a set-user-ID program and left its end of
    /// the socket to a process which that program's user never meant to have its identity.
    async fn attest(&self, peer: &dyn Peer) -> Result<Selectors, AttestError> {
        peer.check()?;
        let (inner, pid, owner) = (Arc::clone(&self.inner), peer.pid(), (peer.uid(), peer.gid()));
        let found = tokio::task::spawn_blocking(move || inner.look(pid, owner)).await;
        peer.check()?;
        found.unwrap_or_else(|why| {
            Err(AttestError::Failed(format!("the look at process {pid} broke off: {why}")))
        })
    }

    /// Ancestors and labels change while the process stays what it is.
    fn lasting(&self) -> bool {
        let Settings { discover_parent_path, discover_ancestor_paths, discover_label, .. } =
            self.inner.settings;
        !(discover_parent_path || discover_ancestor_paths || discover_label)
    }
}

impl Inner {
    fn look(&self, pid: i32, owner: (u32, u32)) -> Result<Selectors, AttestError> {
        let folder = self.settings.proc.join(pid.to_string());
        // a process that executes another program, perhaps with another user's rights, between two reads would be
        // seen half as the old and half as the new: what was read is used only if it reads the same afterwards; and
        // in the middle of it some of it may not be there to read
        let mut seen = self.glimpse(&folder);
        for _ in 0..LOOKS {
            let digest = seen.as_ref().map_or(Ok(None), |seen| self.digest(seen))?;
            let after = self.glimpse(&folder);
            match (&seen, &after) {
                (Ok(seen), Ok(after)) if seen.is_still(after) => {
                    seen.belongs_to(pid, owner)?;
                    return self.selectors(pid, seen, digest.as_deref());
                }
                _ => seen = after,
            }
        }
        seen?;
        Err(AttestError::Failed(format!("process {pid} changed its program or user again and again")))
    }

    fn glimpse(&self, folder: &Path) -> Result<Glimpse, AttestError> {
        let status = std::fs::read(folder.join("status")).and_then(|text| Status::parse(&text));
        let status = status.map_err(|cause| failed("UIDs lookup", &cause))?;
        let executable = match self.settings.discover_workload_path {
            true => Some(Executable::of(folder).map_err(|cause| failed("path lookup", &cause))?),
            false => None,
        };
        Ok(Glimpse { status, executable })
    }

    fn digest(&self, seen: &Glimpse) -> Result<Option<String>, AttestError> {
        let limit = self.settings.workload_size_limit;
        match &seen.executable {
            Some(executable) if limit >= 0 => {
                let limit = u64::try_from(limit).ok().filter(|limit| *limit > 0);
                let digest = self.digests.of(executable, limit);
                digest.map(Some).map_err(|cause| AttestError::Failed(format!("SHA256 digest: {cause}")))
            }
            _ => Ok(None),
        }
    }

    fn selectors(&self, pid: i32, seen: &Glimpse, digest: Option<&str>) -> Result<Selectors, AttestError> {
        let Status { uid, gid, groups } = &seen.status;
        let mut found = vec![("uid", uid.to_string()), ("gid", gid.to_string())];
        found.extend(self.names.user(*uid).map(|name| ("user", name)));
        found.extend(self.names.group(*gid).map(|name| ("group", name)));
        for group in groups {
            found.push(("supplementary_gid", group.to_string()));
            found.extend(self.names.group(*group).map(|name| ("supplementary_group", name)));
        }
        if let Some(executable) = &seen.executable {
            found
                .push(("path", executable.path().map_err(|cause| failed("path lookup", &cause))?.to_owned()));
        }
        found.extend(digest.map(|digest| ("sha256", digest.to_owned())));
        self.add_surroundings(pid, &mut found)?;
        let selector = |(kind, value): (&str, String)| Selector::new(NAME, &format!("{kind}:{value}"));
        let selectors = found.into_iter().map(selector).collect::<Result<_, _>>();
        selectors
            .map_err(|fault| AttestError::Failed(format!("what was found cannot be a selector: {fault}")))
    }
}

impl Inner {
    /// What SPIRE does not look at: whom the process descends from, its control groups, its label.
    fn add_surroundings(&self, pid: i32, found: &mut Vec<(&'static str, String)>) -> Result<(), AttestError> {
        let settings = &self.settings;
        let folder = settings.proc.join(pid.to_string());
        if settings.discover_parent_path || settings.discover_ancestor_paths {
            let most = if settings.discover_ancestor_paths { usize::MAX } else { 1 };
            let above = surroundings::ancestors(&settings.proc, pid, most);
            let above = above.map_err(|cause| failed("parent lookup", &cause))?;
            if settings.discover_parent_path {
                found.extend(above.first().cloned().flatten().map(|path| ("parent-path", path)));
            }
            if settings.discover_ancestor_paths {
                found.extend(above.into_iter().flatten().map(|path| ("ancestor-path", path)));
            }
        }
        if settings.discover_cgroup {
            let groups = surroundings::cgroups(&folder).map_err(|cause| failed("cgroup lookup", &cause))?;
            found.extend(groups.into_iter().map(|path| ("cgroup", path)));
        }
        if settings.discover_label {
            let label = surroundings::label(&folder).map_err(|cause| failed("label lookup", &cause))?;
            found.extend(label.map(|label| match label {
                Label::SeLinux(label) => ("selinux-label", label),
                Label::AppArmor(label) => ("apparmor-label", label),
            }));
        }
        Ok(())
    }
}

/// A process as one look at it shows.
struct Glimpse {
    status: Status,
    executable: Option<Executable>,
}

impl Glimpse {
    fn is_still(&self, other: &Self) -> bool {
        self.status == other.status && self.executable == other.executable
    }

    fn belongs_to(&self, pid: i32, owner: (u32, u32)) -> Result<(), AttestError> {
        let now = (self.status.uid, self.status.gid);
        let changed = || {
            format!(
                "process {pid} connected as user {} and group {} and runs as user {} and group {} now: it has to \
                 connect again",
                owner.0, owner.1, now.0, now.1
            )
        };
        (now == owner).then_some(()).ok_or_else(|| AttestError::Denied(changed()))
    }
}

fn failed(what: &str, cause: &io::Error) -> AttestError {
    let hint = match cause.kind() {
        io::ErrorKind::PermissionDenied => {
            "; the agent must run as root or as the workload's user to look at its executable"
        }
        _ => "",
    };
    AttestError::Failed(format!("{what}: {cause}{hint}"))
}

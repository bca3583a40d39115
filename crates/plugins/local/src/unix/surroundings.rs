use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::proc::{Stat, parent};

/// How far up ancestors are looked for.
const DEEPEST: usize = 64;
/// The longest text of `/proc` that is read here.
const MOST: u64 = 64 * 1024;

/// The executables of the processes that a process descends from: its parent's first. None where there is none, as with
/// the kernel's own, or it may not be looked at. A process whose parent ended has whom the kernel gave it to for a parent.
pub(super) fn ancestors(proc: &Path, pid: i32, most: usize) -> io::Result<Vec<Option<String>>> {
    let mut paths = Vec::new();
    let mut child = proc.join(pid.to_string());
    for _ in 0..most.min(DEEPEST) {
        let above = parent(&read(&child.join("status"))?)?;
        if above == 0 {
            break;
        }
        let folder = proc.join(above.to_string());
        let began = Stat::parse(&read(&folder.join("stat"))?)?.began;
        let exe = std::fs::read_link(folder.join("exe"));
        // it is the parent if it was before and after, and is the process that was looked at
        let same = Stat::parse(&read(&folder.join("stat"))?)?.began == began;
        if !same || parent(&read(&child.join("status"))?)? != above {
            return Err(io::Error::other("the parent changed while it was looked at"));
        }
        match exe {
            Ok(exe) => paths.push(Some(exe.into_os_string().into_string().map_err(|_| not_utf8())?)),
            Err(cause)
                if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) =>
            {
                paths.push(None);
            }
            Err(cause) => return Err(cause),
        }
        child = folder;
    }
    Ok(paths)
}

/// The control groups of a process, each path once.
pub(super) fn cgroups(folder: &Path) -> io::Result<Vec<String>> {
    let text = String::from_utf8(read(&folder.join("cgroup"))?).map_err(|_| not_utf8())?;
    let mut paths: Vec<String> =
        text.lines().filter_map(|line| line.splitn(3, ':').nth(2)).map(str::to_owned).collect();
    paths.sort_unstable();
    paths.dedup();
    Ok(paths)
}

/// The label that a security module gave to a process.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Label {
    SeLinux(String),
    AppArmor(String),
}

/// What the security module says of a process; nothing where there is none.
pub(super) fn label(folder: &Path) -> io::Result<Option<Label>> {
    match read(&folder.join("attr/apparmor/current")) {
        Ok(text) if !text.is_empty() => return Ok(parse_label(&text, true)),
        _ => {}
    }
    match read(&folder.join("attr/current")) {
        Ok(text) => Ok(parse_label(&text, false)),
        // no module that labels processes
        Err(cause) if matches!(cause.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::NotFound) => {
            Ok(None)
        }
        Err(cause) => Err(cause),
    }
}

/// `user:role:type[:level]` of SELinux, or `profile (mode)` of AppArmor. A profile that is enforced goes without its mode.
fn parse_label(text: &[u8], apparmor: bool) -> Option<Label> {
    let text = std::str::from_utf8(text).ok()?.trim_end_matches(['\0', '\n']);
    if text.is_empty() {
        None
    } else if !apparmor && text.split(':').count() >= 3 && !text.contains(' ') {
        Some(Label::SeLinux(text.to_owned()))
    } else {
        Some(Label::AppArmor(text.strip_suffix(" (enforce)").unwrap_or(text).to_owned()))
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(MOST).read_to_end(&mut text)?;
    Ok(text)
}

fn not_utf8() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a path is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_comes_first_and_as_many_as_asked() {
        let proc = Path::new("/proc");
        let own = i32::try_from(std::process::id()).unwrap();
        let above = rustix::process::getppid().unwrap().as_raw_pid();
        let parent = std::fs::read_link(format!("/proc/{above}/exe")).unwrap();
        let parent = parent.to_str().map(str::to_owned);
        assert_eq!(ancestors(proc, own, 1).unwrap(), std::slice::from_ref(&parent));
        assert_eq!(ancestors(proc, own, 99).unwrap().first(), Some(&parent));
        assert!(ancestors(proc, 1, 99).unwrap().is_empty());
        assert!(ancestors(Path::new("/nowhere"), own, 1).is_err());
    }

    #[test]
    fn a_chain_of_parents_that_leads_in_circles_ends() {
        let proc = tempfile::tempdir().unwrap();
        for (pid, above) in [(5, 6), (6, 5)] {
            let folder = proc.path().join(pid.to_string());
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join("status"), format!("PPid:\t{above}\n")).unwrap();
            std::fs::write(folder.join("stat"), "5 (x) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 11 0")
                .unwrap();
            std::os::unix::fs::symlink("/bin/x", folder.join("exe")).unwrap();
        }
        assert_eq!(ancestors(proc.path(), 5, usize::MAX).unwrap().len(), DEEPEST);
    }

    #[test]
    fn labels_are_told_apart() {
        let selinux = parse_label(b"system_u:system_r:httpd_t:s0\0", false);
        assert_eq!(selinux, Some(Label::SeLinux("system_u:system_r:httpd_t:s0".to_owned())));
        let enforced = parse_label(b"docker-default (enforce)\n", false);
        assert_eq!(enforced, Some(Label::AppArmor("docker-default".to_owned())));
        let complaining = parse_label(b"a//b:c:d (complain)\n", true);
        assert_eq!(complaining, Some(Label::AppArmor("a//b:c:d (complain)".to_owned())));
        assert_eq!(parse_label(b"unconfined\n", false), Some(Label::AppArmor("unconfined".to_owned())));
        assert_eq!(parse_label(b"", false), None);
    }

    #[test]
    fn each_group_is_named_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cgroup"), "2:cpu:/a\n1:name=systemd:/a\n0::/b:c\n").unwrap();
        assert_eq!(cgroups(folder.path()).unwrap(), ["/a", "/b:c"]);
    }
}

//! The control groups of a process, as the kernel lists them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The longest list that is read. A process lies in a dozen groups; the path of each is shorter than 4 KiB.
const MOST: u64 = 64 * 1024;

/// The paths of the control groups in which a process lies: one for each hierarchy (cgroup v1), one (v2), or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cgroups(Vec<String>);

/// Why the control groups of a process are not known.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// The list cannot be read.
    #[error("the control groups of process {pid} cannot be read: {why}")]
    Unreadable {
        /// The process.
        pid: i32,
        /// What went wrong.
        why: io::Error,
    },
    /// The list is not what the kernel writes.
    #[error("a control group is listed as {line:?}, which is not `hierarchy:controllers:path`")]
    Malformed {
        /// The line.
        line: String,
    },
    /// The list is longer than any that a kernel writes.
    #[error("the list of control groups is longer than {MOST} bytes")]
    TooLong,
}

impl Cgroups {
    /// Those of this process, from the process file system mounted at `proc`.
    pub fn of(proc: &Path, pid: i32) -> Result<Self, CgroupError> {
        let unreadable = |why| CgroupError::Unreadable { pid, why };
        let file = File::open(proc.join(pid.to_string()).join("cgroup")).map_err(unreadable)?;
        let mut text = Vec::new();
        file.take(MOST + 1).read_to_end(&mut text).map_err(unreadable)?;
        Self::parse(&text)
    }

    /// From the text of `/proc/<pid>/cgroup` (cgroups(7)).
    pub fn parse(text: &[u8]) -> Result<Self, CgroupError> {
        if text.len() as u64 > MOST {
            return Err(CgroupError::TooLong);
        }
        // a name that is not UTF-8 is no name that a container engine gives
        let text = String::from_utf8_lossy(text);
        let path = |line: &str| match line.splitn(3, ':').nth(2) {
            Some(path) => Ok(path.to_owned()),
            None => Err(CgroupError::Malformed { line: line.to_owned() }),
        };
        text.lines().map(path).collect::<Result<_, _>>().map(Self)
    }

    /// The paths in the order of the list.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_is_read() {
        let hybrid = b"12:cpu,cpuacct:/docker/a\n1:name=systemd:/a:b\n0::/c\n";
        let read = Cgroups::parse(hybrid).unwrap();
        assert_eq!(read.paths().collect::<Vec<_>>(), ["/docker/a", "/a:b", "/c"]);
        assert_eq!(Cgroups::parse(b"").unwrap().paths().count(), 0);
    }

    #[test]
    fn what_the_kernel_does_not_write_is_refused() {
        assert!(matches!(Cgroups::parse(b"0:/a\n"), Err(CgroupError::Malformed { .. })));
        assert!(matches!(Cgroups::parse(&vec![b':'; 70_000]), Err(CgroupError::TooLong)));
    }

    #[test]
    fn the_own_groups_can_be_read() {
        let own = Cgroups::of(Path::new("/proc"), i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(own.paths().all(|path| path.starts_with('/')));
        assert!(matches!(Cgroups::of(Path::new("/nowhere"), 1), Err(CgroupError::Unreadable { pid: 1, .. })));
    }
}

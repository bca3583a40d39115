//! The container in which the agent itself runs, by its own mounts.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Place, PlaceError, gather};
use crate::cgroup::Cgroups;

/// The longest list of mounts that is read.
const MOST: u64 = 4 << 20;

/// Why the own container is not known.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// The list cannot be read.
    #[error("the agent's mounts cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// The list is longer than 4 MiB.
    #[error("the list of the agent's mounts is longer than {MOST} bytes")]
    TooLong,
    /// The mounts are those of several containers.
    #[error(transparent)]
    Place(#[from] PlaceError),
}

/// The container of a process that lies in the agent's own control group, which the kernel lists as `/` when agent and
/// process are in one control group namespace. None if it lies elsewhere, or the agent is in no container.
///
/// SPIRE 1.16 reads the mounts of the process there. A process makes its own, and could name any container; so these are
/// the agent's, which has the same container by the kernel's word.
pub fn own_container(cgroups: &Cgroups, pods: bool) -> Result<Option<Place>, MountError> {
    if !cgroups.paths().all(|path| path == "/") {
        return Ok(None);
    }
    let mut text = Vec::new();
    let file = File::open(Path::new("/proc/self/mountinfo")).map_err(MountError::Unreadable)?;
    file.take(MOST + 1).read_to_end(&mut text).map_err(MountError::Unreadable)?;
    if text.len() as u64 > MOST {
        return Err(MountError::TooLong);
    }
    of_mounts(&text, pods).map_err(MountError::Place)
}

/// The container that the mounts of control groups name, from the text of `/proc/<pid>/mountinfo` (proc(5)).
pub fn of_mounts(text: &[u8], pods: bool) -> Result<Option<Place>, PlaceError> {
    let text = String::from_utf8_lossy(text);
    let place = gather(text.lines().filter_map(cgroup_root).filter_map(|root| super::find(root, pods)))?;
    // what was found is a mount's root, not a place among control groups that could be compared
    Ok(place.map(|place| Place { roots: Vec::new(), ..place }))
}

/// The root of a mount of control groups: the fourth field, where the first after the lone dash is their type.
fn cgroup_root(line: &str) -> Option<&str> {
    let mut fields = line.split(' ');
    let root = fields.nth(3)?;
    let kind = fields.skip(2).skip_while(|field| *field != "-").nth(1)?;
    matches!(kind, "cgroup" | "cgroup2").then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mounts_of_a_container_name_it() {
        let id = "a".repeat(64);
        let mounts = format!(
            "700 600 0:5 / /proc rw,nosuid - proc proc rw\n\
             701 600 0:6 /../{id} /sys/fs/cgroup ro,nosuid shared:4 master:9 - cgroup2 cgroup rw,nsdelegate\n\
             702 600 0:7 / /sys/fs/cgroup/x ro - cgroup cgroup rw\n"
        );
        assert_eq!(of_mounts(mounts.as_bytes(), false).unwrap().unwrap().id, id);
    }

    #[test]
    fn other_mounts_name_nothing() {
        let id = "a".repeat(64);
        for line in [
            format!("701 600 8:1 /var/lib/docker/{id} / rw - ext4 /dev/sda1 rw"),
            format!("701 600 0:6 /{id} /sys"),
            "nonsense".to_owned(),
            String::new(),
        ] {
            assert_eq!(of_mounts(line.as_bytes(), true), Ok(None), "{line}");
        }
    }

    #[test]
    fn mounts_of_two_containers_are_refused() {
        let (one, two) = ("a".repeat(64), "b".repeat(64));
        let mounts = format!("1 2 0:6 /{one} /a ro - cgroup a rw\n1 2 0:6 /{two} /b ro - cgroup b rw\n");
        assert_eq!(of_mounts(mounts.as_bytes(), false), Err(PlaceError::Containers(one, two)));
    }

    #[test]
    fn a_process_elsewhere_is_not_in_the_agents_container() {
        let cgroups = Cgroups::parse(b"1:cpu:/\n0::/user.slice\n").unwrap();
        assert!(own_container(&cgroups, false).unwrap().is_none());
    }
}

//! In which container a process runs, by its control groups.
//!
//! The kernel keeps this list, and a process cannot write it. It can choose its place below a group that was given to its
//! user, though, and name that group like somebody's container; so whoever asks an engine about a container compares the
//! place with that of the container's first process ([`Place::holds`]).

mod matcher;
mod mounts;
mod words;

pub use matcher::{MatcherError, Matchers};
pub use mounts::{MountError, of_mounts, own_container};

use crate::cgroup::Cgroups;
use words::{container_id, pod_uid};

/// A container, as the path of a control group names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// Its id: 64 hexadecimal digits by convention, or whatever stands where a matcher says.
    pub id: &'a str,
    /// The uid of the pod that it belongs to, with dashes.
    pub pod: Option<String>,
    /// The path up to the group that carries the id.
    root: &'a str,
}

/// Where a process runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The id of its container.
    pub id: String,
    /// The uid of its pod.
    pub pod: Option<String>,
    roots: Vec<String>,
}

/// Why the container of a process is not known.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Its control groups belong to two containers.
    #[error("multiple container IDs found ({0:?}, {1:?})")]
    Containers(String, String),
    /// Its control groups belong to two pods.
    #[error("multiple pod UIDs found ({0:?}, {1:?})")]
    Pods(String, String),
}

/// Where a process with these control groups runs; none if not in a container.
///
/// Groups that name no container are passed over: where several hierarchies are mounted, an engine need not use them all.
/// With `pods`, a path that names a pod and a container outweighs those that name a container alone: that is how a node
/// that is itself a container (kind) looks.
pub fn locate(cgroups: &Cgroups, pods: bool) -> Result<Option<Place>, PlaceError> {
    gather(cgroups.paths().filter_map(|path| find(path, pods)))
}

/// As [`locate`], by patterns that an operator wrote.
pub fn locate_by(matchers: &Matchers, cgroups: &Cgroups) -> Result<Option<Place>, PlaceError> {
    gather(cgroups.paths().filter_map(|path| matchers.find(path)))
}

fn gather<'a>(all: impl Iterator<Item = Found<'a>>) -> Result<Option<Place>, PlaceError> {
    let mut place: Option<Place> = None;
    for found in all {
        match &mut place {
            Some(known) if known.pod.is_some() && found.pod.is_none() => {}
            Some(known) if known.pod.is_some() == found.pod.is_some() => known.agree(&found)?,
            _ => place = Some(Place::of(&found)),
        }
    }
    Ok(place)
}

/// The container that the path of a control group, or of its mount, names; with its pod if `pods`.
fn find(path: &str, pods: bool) -> Option<Found<'_>> {
    let mut end = path.len();
    // from the last segment on, up to one that is empty: the leading slash, as a rule
    loop {
        let whole = path.get(..end)?;
        let start = whole.rfind('/').map_or(0, |slash| slash + 1);
        let segment = whole.get(start..)?;
        if segment.is_empty() {
            return None;
        }
        if let Some((at, id)) = container_id(segment) {
            let before = whole.get(..start + at)?;
            let pod = if pods { pod_of(before) } else { None };
            return Some(Found { id, pod, root: whole });
        }
        end = start.checked_sub(1)?;
    }
}

/// The pod that is named by the last segment that names one.
fn pod_of(before: &str) -> Option<String> {
    before
        .strip_suffix('/')
        .unwrap_or(before)
        .rsplit('/')
        .take_while(|segment| !segment.is_empty())
        .find_map(pod_uid)
}

impl Place {
    fn of(found: &Found<'_>) -> Self {
        Self { id: found.id.to_owned(), pod: found.pod.clone(), roots: vec![found.root.to_owned()] }
    }

    fn agree(&mut self, found: &Found<'_>) -> Result<(), PlaceError> {
        match (&self.pod, &found.pod) {
            (Some(known), Some(other)) if known != other => {
                return Err(PlaceError::Pods(known.clone(), other.clone()));
            }
            _ => {}
        }
        if self.id != found.id {
            return Err(PlaceError::Containers(self.id.clone(), found.id.to_owned()));
        }
        if !self.roots.iter().any(|root| root == found.root) {
            self.roots.push(found.root.to_owned());
        }
        Ok(())
    }

    /// Whether a process with these control groups lies within the groups that carry this container's id: each of them,
    /// to the very path, and not merely in groups of that name.
    pub fn holds(&self, cgroups: &Cgroups) -> bool {
        let within = |root: &str| {
            let inside = |path: &str| {
                path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            cgroups.paths().any(inside)
        };
        self.roots.iter().all(|root| within(root))
    }

    /// The paths of the groups that carry the id.
    pub fn roots(&self) -> impl Iterator<Item = &str> {
        self.roots.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests;

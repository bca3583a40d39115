use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::unistd::{Gid, Group, Uid, User};

/// How long a name is believed. A directory service that is asked for each request would not like it.
const FRESH: Duration = Duration::from_secs(10);
/// How many names are kept of each kind.
const MOST: usize = 4096;

/// The names of users and groups, from wherever the system has them (NSS).
#[derive(Default)]
pub(super) struct Names {
    users: Kept,
    groups: Kept,
}

impl Names {
    /// The user's name, if it has one that can be found out. May block.
    pub(super) fn user(&self, uid: u32) -> Option<String> {
        self.users.get(uid, Instant::now(), || {
            let user = User::from_uid(Uid::from_raw(uid));
            user.map(|user| user.map(|user| user.name)).map_err(|cause| unanswered("user", uid, cause))
        })
    }

    /// The group's name, if it has one that can be found out. May block.
    pub(super) fn group(&self, gid: u32) -> Option<String> {
        self.groups.get(gid, Instant::now(), || {
            let group = Group::from_gid(Gid::from_raw(gid));
            group.map(|group| group.map(|group| group.name)).map_err(|cause| unanswered("group", gid, cause))
        })
    }
}

/// Whether there is a name is not known.
struct Unanswered;

/// As in SPIRE 1.16 an id whose name cannot be looked up goes without; but it is said.
fn unanswered(kind: &'static str, id: u32, cause: nix::errno::Errno) -> Unanswered {
    tracing::warn!(kind, id, error = %cause, "The name of a workload's user or group cannot be looked up");
    Unanswered
}

type Answer = (Instant, Option<String>);

#[derive(Default)]
struct Kept(Mutex<HashMap<u32, Answer>>);

impl Kept {
    /// The name kept for `id`, or what `look_up` finds; an error of it is not kept.
    fn get(
        &self,
        id: u32,
        now: Instant,
        look_up: impl FnOnce() -> Result<Option<String>, Unanswered>,
    ) -> Option<String> {
        let fresh = |(at, _): &Answer| now.saturating_duration_since(*at) < FRESH;
        if let Some((_, name)) = self.lock().get(&id).filter(|answer| fresh(answer)) {
            return name.clone();
        }
        let name = look_up().ok()?.filter(|name| !name.is_empty());
        let mut kept = self.lock();
        if kept.len() >= MOST {
            kept.retain(|_, answer| fresh(answer));
        }
        if kept.len() < MOST {
            kept.insert(id, (now, name.clone()));
        }
        name
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u32, Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_has_its_name() {
        let names = Names::default();
        assert_eq!(names.user(0).as_deref(), Some("root"));
        assert_eq!(names.group(0).as_deref(), Some("root"));
    }

    #[test]
    fn an_id_without_a_name_has_none() {
        assert_eq!(Names::default().user(3_999_999_999), None);
    }

    #[test]
    fn a_name_is_asked_for_again_after_a_while_only() {
        let (kept, start) = (Kept::default(), Instant::now());
        let named = |name: &str| Ok(Some(name.to_owned()));
        assert_eq!(kept.get(7, start, || named("old")).as_deref(), Some("old"));
        assert_eq!(kept.get(7, start + FRESH / 2, || named("new")).as_deref(), Some("old"));
        assert_eq!(kept.get(7, start + FRESH, || named("new")).as_deref(), Some("new"));
    }

    #[test]
    fn a_failure_is_not_kept() {
        let (kept, now) = (Kept::default(), Instant::now());
        assert_eq!(kept.get(7, now, || Err(Unanswered)), None);
        assert_eq!(kept.get(7, now, || Ok(Some("back".to_owned()))).as_deref(), Some("back"));
    }

    #[test]
    fn the_room_for_names_is_bounded() {
        let (kept, now) = (Kept::default(), Instant::now());
        for id in 0..u32::try_from(MOST).unwrap() + 10 {
            kept.get(id, now, || Ok(Some(id.to_string())));
        }
        assert_eq!(kept.lock().len(), MOST);
    }
}

//! Which of Podman's engines runs a container: that of root, or that of a user.

use super::engine::{Address, AddressError};

/// What stands for the user's id.
const UID: &str = "%d";

/// Whose engine runs a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Root,
    User(u32),
}

/// The owner of a container in these groups, if it is Podman's.
pub(super) fn owner<'a>(mut paths: impl Iterator<Item = &'a str>) -> Option<Owner> {
    let path = paths.find(|path| path.contains("libpod-") || path.contains("/libpod/"))?;
    let user = path.match_indices("/user-").find_map(|(at, word)| {
        let (uid, _) = path.get(at + word.len()..)?.split_once(".slice/")?;
        uid.bytes().all(|byte| byte.is_ascii_digit()).then(|| uid.parse().ok())?
    });
    Some(user.map_or(Owner::Root, Owner::User))
}

/// Where users' engines listen: an address with `%d` in place of the user's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(String);

/// Why a template was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A percent sign is followed by neither `d` nor another one.
    #[error("a % that is not part of %d is written %%")]
    Percent,
    /// There is not exactly one `%d`.
    #[error("it must contain exactly one %d, which stands for the user's id")]
    NotOne,
    /// It is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl Template {
    /// From `unix:///run/user/%d/podman/podman.sock` or the like; a percent sign of its own is doubled.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let plain = text.replace("%%", "");
        let places = plain.matches(UID).count();
        if plain.matches('%').count() != places {
            return Err(TemplateError::Percent);
        }
        if places != 1 {
            return Err(TemplateError::NotOne);
        }
        Address::parse(&fill(text, 0))?;
        Ok(Self(text.to_owned()))
    }

    /// Of this user.
    pub(super) fn of(&self, uid: u32) -> Address {
        // it was parsed with another number in the same place
        Address::parse(&fill(&self.0, uid)).unwrap_or_else(|_| Address::nowhere())
    }
}

fn fill(text: &str, uid: u32) -> String {
    let uid = uid.to_string();
    text.split("%%").map(|part| part.replace(UID, &uid)).collect::<Vec<_>>().join("%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_in_the_path() {
        let cases = [
            ("/docker/a", None),
            ("/system.slice/docker-a.scope", None),
            ("/machine.slice/libpod-a.scope", Some(Owner::Root)),
            ("/libpod_parent/libpod-a", Some(Owner::Root)),
            ("/x/libpod/a", Some(Owner::Root)),
            (
                "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-a.scope",
                Some(Owner::User(1000)),
            ),
            // the outermost counts: what lies below a user's slice is of that user's making
            ("/user.slice/user-7.slice/user@7.service/user-0.slice/libpod-a.scope", Some(Owner::User(7))),
            ("/user.slice/user-99999999999.slice/libpod-a.scope", Some(Owner::Root)),
        ];
        for (path, wanted) in cases {
            assert_eq!(owner([path].into_iter()), wanted, "{path}");
        }
    }

    #[test]
    fn a_template_has_one_place_for_the_user() {
        let template = Template::parse("unix:///run/user/%d/podman/50%%.sock").unwrap();
        assert_eq!(template.of(7).to_string(), "unix:///run/user/7/podman/50%.sock");
        assert_eq!(Template::parse("unix:///run/podman.sock"), Err(TemplateError::NotOne));
        assert_eq!(Template::parse("unix:///%d/%d"), Err(TemplateError::NotOne));
        assert_eq!(Template::parse("unix:///%%d"), Err(TemplateError::NotOne));
        for text in ["unix:///%d/%", "unix:///%d/%s"] {
            assert_eq!(Template::parse(text), Err(TemplateError::Percent), "{text}");
        }
        assert!(matches!(Template::parse("/run/%d"), Err(TemplateError::Address(_))));
    }
}

//! Patterns of control group paths that an operator wrote, as SPIRE's `container_id_cgroup_matchers`.

use super::Found;

/// Stands for a whole segment.
const ANY: &str = "*";
/// Stands for the segment that is the container's id.
const ID: &str = "<id>";

/// Patterns of which at most one matches any path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matchers(Vec<Vec<String>>);

/// Why patterns were refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    /// A pattern does not say where the id is, or says it twice.
    #[error("pattern {0:?} must contain the container id token \"<id>\" exactly once")]
    NoId(String),
    /// Some path would match both.
    #[error("patterns must not be ambiguous: {0:?} and {1:?} match the same paths")]
    Ambiguous(String, String),
}

impl Matchers {
    /// From patterns such as `/docker/<id>` or `/my.slice/*/<id>/*`.
    pub fn new(patterns: &[String]) -> Result<Self, MatcherError> {
        let mut all: Vec<Vec<String>> = Vec::new();
        for pattern in patterns {
            let segments: Vec<String> = pattern.split('/').map(str::to_owned).collect();
            if segments.iter().filter(|segment| *segment == ID).count() != 1 {
                return Err(MatcherError::NoId(pattern.clone()));
            }
            if let Some(other) = all.iter().find(|other| overlap(other, &segments)) {
                return Err(MatcherError::Ambiguous(other.join("/"), pattern.clone()));
            }
            all.push(segments);
        }
        Ok(Self(all))
    }

    /// The container that a path names, if a pattern matches all of it.
    pub(super) fn find<'a>(&self, path: &'a str) -> Option<Found<'a>> {
        self.0.iter().find_map(|pattern| find(pattern, path))
    }
}

fn find<'a>(pattern: &[String], path: &'a str) -> Option<Found<'a>> {
    let mut start = 0;
    let mut found = None;
    let mut segments = path.split('/');
    for wanted in pattern {
        let segment = segments.next()?;
        let end = start + segment.len();
        match wanted.as_str() {
            ANY => {}
            // an id is not empty: what has none is in no container
            ID if segment.is_empty() => return None,
            ID => found = Some(Found { id: segment, pod: None, root: path.get(..end)? }),
            exact if exact == segment => {}
            _ => return None,
        }
        start = end + 1;
    }
    segments.next().is_none().then_some(found)?
}

/// Whether some path matches both.
fn overlap(one: &[String], other: &[String]) -> bool {
    let open = |segment: &str| segment == ANY || segment == ID;
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a == b || open(a) || open(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matchers(patterns: &[&str]) -> Result<Matchers, MatcherError> {
        Matchers::new(&patterns.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
    }

    fn id<'a>(matchers: &Matchers, path: &'a str) -> Option<(&'a str, &'a str)> {
        matchers.find(path).map(|found| (found.id, found.root))
    }

    #[test]
    fn a_pattern_matches_a_whole_path_segment_by_segment() {
        let one = matchers(&["/long.slice/*/<id>/*", "/docker/<id>"]).unwrap();
        assert_eq!(id(&one, "/docker/foo"), Some(("foo", "/docker/foo")));
        assert_eq!(id(&one, "/long.slice/a/b/c"), Some(("b", "/long.slice/a/b")));
        for other in
            ["", "/", "/docker", "/docker/", "/dockerfoo", "/docker/foo/", "/docker/foo/bar", "x/docker/foo"]
        {
            assert_eq!(id(&one, other), None, "{other}");
        }
    }

    #[test]
    fn a_pattern_says_once_where_the_id_is() {
        for pattern in ["", "/docker/*", "/<id>/<id>", "/docker-<id>"] {
            assert_eq!(matchers(&[pattern]), Err(MatcherError::NoId(pattern.to_owned())));
        }
    }

    #[test]
    fn patterns_that_match_the_same_path_are_refused() {
        let ambiguous = |a: &str, b: &str| {
            assert_eq!(matchers(&[a, b]), Err(MatcherError::Ambiguous(a.to_owned(), b.to_owned())));
        };
        ambiguous("/a/b/<id>", "/*/b/<id>");
        ambiguous("/docker/<id>", "/<id>/docker");
        ambiguous("/docker/<id>", "/docker/<id>");
        assert!(matchers(&["/a/<id>", "/b/<id>", "/a/<id>/c"]).is_ok());
    }
}

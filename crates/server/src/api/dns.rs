//! DNS names as operators put them into requests.

/// Checks one name: ASCII, labels of letters, digits, hyphens and underscores, perhaps a wildcard as the whole first
/// label (SPIRE 1.16).
pub(super) fn check(name: &str) -> Result<(), &'static str> {
    if !name.is_ascii() {
        return Err("name must be ascii");
    }
    let rest = match (name.matches('*').count(), name.strip_prefix("*.")) {
        (0, _) => name,
        (1, Some(rest)) => rest,
        (1, None) => return Err("wildcard must be first label"),
        _ => return Err("too many wildcards"),
    };
    if rest.trim().is_empty() {
        return Err("empty or only whitespace");
    }
    if rest.ends_with('.') {
        return Err("domain ends with dot");
    }
    if rest.len() > 253 {
        return Err("it is longer than 253 bytes");
    }
    rest.split('.').try_for_each(label)
}

fn label(label: &str) -> Result<(), &'static str> {
    if label.is_empty() {
        return Err("a label is empty");
    }
    if label.len() > 63 {
        return Err("a label is longer than 63 bytes");
    }
    if label.starts_with('-')
        || label.ends_with('-')
        || label.get(2..4) == Some("--") && !label.starts_with("xn--")
    {
        return Err("a label has hyphens where none may be");
    }
    if !label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return Err("a label has characters other than letters, digits, hyphens and underscores");
    }
    Ok(())
}

/// A name that a wildcard of the same list covers, if there is one.
pub(super) fn covered(names: &[String]) -> Option<&String> {
    names.iter().filter(|name| !name.starts_with('*')).find(|name| {
        let parent = name.split_once('.').map_or("", |(_, parent)| parent);
        names.iter().any(|other| other.strip_prefix("*.") == Some(parent) && !parent.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_wildcards_are_told_from_nonsense() {
        for good in
            ["example.org", "*.example.org", "a-b.c1", "localhost", "xn--bcher-kva.example", "a_b.Example"]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "*", "*.", " ", "a..b", "a.*.b", "*.*.a", "a.", "-a", "a-", "a!b", "ä.org", "ab--c"]
        {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wildcard_covers_its_own_level_only() {
        let names = |all: &[&str]| all.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            covered(&names(&["*.example.org", "a.example.org"])).map(String::as_str),
            Some("a.example.org")
        );
        assert_eq!(covered(&names(&["*.example.org", "a.b.example.org", "example.org"])), None);
    }
}

//! References that are relative to a URL (RFC 3986 §5.2).

use super::uri::{Uri, UriError, scheme};

/// The URI that `reference` names where `base` is read.
pub(super) fn resolve(base: &str, reference: &str) -> Result<String, UriError> {
    if scheme(reference).is_ok() {
        return Uri::parse(reference).map(|_| reference.to_owned());
    }
    let (base, reference) = (Uri::parse(base)?, Uri::relative(reference)?);
    let mut text = format!("{}:", base.scheme);
    let authority = reference.authority.or(base.authority);
    if let Some(authority) = authority {
        text.push_str("//");
        text.push_str(authority);
    }
    let same = reference.authority.is_none() && reference.path.is_empty();
    text.push_str(&if same { base.path.to_owned() } else { path(&base, &reference) });
    let query = if same { reference.query.or(base.query) } else { reference.query };
    for (mark, part) in [('?', query), ('#', reference.fragment)] {
        if let Some(part) = part {
            text.push(mark);
            text.push_str(part);
        }
    }
    Ok(text)
}

fn path(base: &Uri<'_>, reference: &Uri<'_>) -> String {
    if reference.authority.is_some() || reference.path.starts_with('/') {
        return without_dots(reference.path);
    }
    let folder = base.path.rfind('/').map_or("/", |at| base.path.split_at(at + 1).0);
    without_dots(&format!("{folder}{}", reference.path))
}

/// A path whose segments `.` and `..` are followed (RFC 3986 §5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').collect();
    for (index, segment) in segments.iter().enumerate() {
        let last = index + 1 == segments.len();
        match *segment {
            ".." => {
                // The empty text before the first slash stays.
                if kept.len() > 1 {
                    kept.pop();
                }
            }
            "." => {}
            segment => {
                kept.push(segment);
                continue;
            }
        }
        if last {
            kept.push("");
        }
    }
    kept.join("/")
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn references_are_resolved_as_the_standard_shows() {
        // RFC 3986 §5.4.1 and §5.4.2
        for (reference, expected) in [
            ("g:h", "g:h"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q#s"),
            ("g#s", "http://a/b/c/g#s"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("..g", "http://a/b/c/..g"),
            ("./../g", "http://a/b/g"),
            ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
        ] {
            assert_eq!(resolve("http://a/b/c/d;p?q", reference).as_deref(), Ok(expected), "{reference}");
        }
        assert_eq!(resolve("https://h", "b").as_deref(), Ok("https://h/b"));
        assert!(resolve("https://h", "b c").is_err());
    }
}

//! Whom a proof is for (wpt §2, §3).

/// What a service answers to. It comes from configuration and never from a request: `Host` and `X-Forwarded-Host` say what
/// whoever sent the request wants them to say. Without an entry, no proof is for this service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audiences {
    origins: Vec<String>,
    exact: Vec<String>,
}

/// Why something cannot be an audience.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AudienceError {
    /// Not the origin of a service.
    #[error(
        "{0:?} is not an origin: write scheme and authority alone, such as https://shop.example.org:8443"
    )]
    Origin(String),
    /// Not a URI.
    #[error("{0:?} is not an absolute URI with an authority and without userinfo")]
    Uri(String),
    /// Nothing.
    #[error("an empty audience fits nobody")]
    Empty,
}

impl Audiences {
    /// Answers to the targets of an origin, such as `https://shop.example.org`: a proof is accepted whose audience is that
    /// origin with the path of the request behind it.
    ///
    /// # Errors
    ///
    /// If it is no origin: it has a path, a query, a fragment, userinfo or white space in it, or no authority.
    pub fn origin(mut self, origin: &str) -> Result<Self, AudienceError> {
        match split(origin) {
            Some((normal, "", bare)) if bare == origin => self.origins.push(normal),
            _ => return Err(AudienceError::Origin(origin.to_owned())),
        }
        Ok(self)
    }

    /// Answers to a value of the deployment's own, byte by byte and whatever the path of the request is.
    ///
    /// # Errors
    ///
    /// If it is empty.
    pub fn exact(mut self, audience: &str) -> Result<Self, AudienceError> {
        if audience.is_empty() {
            return Err(AudienceError::Empty);
        }
        self.exact.push(audience.to_owned());
        Ok(self)
    }

    /// Whether a proof with that audience is for a request with that target. Query and fragment do not count; scheme and
    /// host are compared without their case, the port of the scheme may be left away, the path is compared byte by byte.
    pub fn accept(&self, audience: &str, target: &str) -> bool {
        if self.exact.iter().any(|exact| exact == audience) {
            return true;
        }
        let Some((origin, path, _)) = split(audience) else { return false };
        self.origins.contains(&origin) && path_of(target).is_some_and(|asked| rooted(asked) == rooted(path))
    }
}

/// The audience of a proof for a request to `uri`: the URI without query and fragment.
///
/// # Errors
///
/// If it is no absolute URI with an authority, or has userinfo.
pub fn audience_of(uri: &str) -> Result<String, AudienceError> {
    let (_, _, bare) = split(uri).ok_or_else(|| AudienceError::Uri(uri.to_owned()))?;
    Ok(bare.to_owned())
}

/// An absolute URI as its origin in normal form, its path, and itself without query and fragment.
fn split(uri: &str) -> Option<(String, &str, &str)> {
    if !uri.bytes().all(|b| b.is_ascii_graphic()) {
        return None;
    }
    let bare = uri.split(['?', '#']).next()?;
    let (scheme, rest) = bare.split_once("://")?;
    let mut of_scheme = scheme.bytes();
    let starts = of_scheme.next().is_some_and(|b| b.is_ascii_alphabetic());
    if !starts || !of_scheme.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
        return None;
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.is_empty() || authority.contains(['@', '\\']) {
        return None;
    }
    let (scheme, authority) = (scheme.to_ascii_lowercase(), authority.to_ascii_lowercase());
    let port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => ":",
    };
    let authority = authority.strip_suffix(port).unwrap_or(&authority);
    Some((format!("{scheme}://{authority}"), path, bare))
}

/// The path of a request target (RFC 9112 §3.2); the authority of an absolute one is the sender's word and not used.
fn path_of(target: &str) -> Option<&str> {
    let bare = target.split(['?', '#']).next()?;
    match bare.starts_with('/') {
        true => Some(bare),
        false => split(bare).and_then(|_| {
            let (_, rest) = bare.split_once("://")?;
            rest.get(rest.find('/').unwrap_or(rest.len())..)
        }),
    }
}

fn rooted(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_an_origin_that_is_configured_with_the_path_of_the_request() {
        let shop = Audiences::default().origin("https://Shop.example.org:443").unwrap();
        for (audience, target) in [
            ("https://shop.example.org/a", "/a"),
            ("https://shop.example.org/a", "/a?x=1"),
            ("https://shop.example.org/a?x=1#y", "/a"),
            ("HTTPS://SHOP.example.org:443/a", "/a"),
            ("https://shop.example.org/a", "http://evil.example/a"),
            ("https://shop.example.org", "/"),
            ("https://shop.example.org/", "https://shop.example.org"),
        ] {
            assert!(shop.accept(audience, target), "{audience} {target}");
        }
        for (audience, target) in [
            ("https://shop.example.org/a", "/b"),
            ("https://shop.example.org/A", "/a"),
            ("https://shop.example.org/a/", "/a"),
            ("https://shop.example.org:8443/a", "/a"),
            ("http://shop.example.org/a", "/a"),
            ("https://evil.example/a", "/a"),
            ("https://x@shop.example.org/a", "/a"),
            ("https://shop.example.org@evil.example/a", "/a"),
            ("https://shop.example.org/a", "*"),
            ("https://shop.example.org /a", "/a"),
            ("/a", "/a"),
            ("", "/"),
        ] {
            assert!(!shop.accept(audience, target), "{audience} {target}");
        }
        assert!(!Audiences::default().accept("https://shop.example.org/a", "/a"));
    }

    #[test]
    fn a_value_of_the_deployment_is_compared_as_it_is() {
        let own = Audiences::default().exact("orders").unwrap();
        assert!(own.accept("orders", "/any") && !own.accept("Orders", "/any"));
        assert_eq!(Audiences::default().exact(""), Err(AudienceError::Empty));
    }

    #[test]
    fn origins_are_origins_and_audiences_have_no_query() {
        for bad in [
            "shop",
            "https://",
            "https://a/",
            "https://a?x",
            "https://a#",
            "https://u@a",
            "1://a",
            "https://a b",
        ] {
            assert!(Audiences::default().origin(bad).is_err(), "{bad}");
        }
        assert_eq!(audience_of("https://a/b?c#d").as_deref(), Ok("https://a/b"));
        assert!(audience_of("/b").is_err() && audience_of("https://u:p@a/b").is_err());
    }
}

//! URIs (RFC 3986 §3), taken apart and checked, not mended.

/// The longest URI, in bytes.
pub(super) const MAX_URI: usize = 4096;

/// Why a text is no URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum UriError {
    #[error("it is longer than 4,096 bytes")]
    TooLong,
    #[error("it has no scheme: a URI begins with a name and a colon")]
    NoScheme,
    #[error("it has a character that stands in no URI unless it is written as % and two hexadecimal digits")]
    Character,
    #[error("a % in it is not followed by two hexadecimal digits")]
    Percent,
    #[error("its port is not a number from 1 to 65535")]
    Port,
    #[error("its host in brackets is not an IPv6 address")]
    Ipv6,
}

/// The components of a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Uri<'a> {
    pub(super) scheme: &'a str,
    pub(super) authority: Option<&'a str>,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) fragment: Option<&'a str>,
}

/// The parts of an authority. The host of an IPv6 address is without its brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Authority<'a> {
    pub(super) userinfo: Option<&'a str>,
    pub(super) host: &'a str,
    pub(super) bracketed: bool,
    pub(super) port: Port,
}

/// What stands after the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    /// No colon.
    Missing,
    /// A colon alone.
    Empty,
    Number(u16),
}

impl<'a> Uri<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, UriError> {
        let (scheme, rest) = scheme(text)?;
        Ok(Self { scheme, ..Self::relative(rest)? })
    }

    /// What is not a scheme: of a reference (RFC 3986 §4.2) this is all.
    pub(super) fn relative(text: &'a str) -> Result<Self, UriError> {
        if text.len() > MAX_URI {
            return Err(UriError::TooLong);
        }
        let (rest, fragment) = cut(text, '#');
        let (rest, query) = cut(rest, '?');
        let (authority, path) = match rest.strip_prefix("//") {
            None => (None, rest),
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority), path)
            }
        };
        checked(authority.unwrap_or_default(), b"[]:@")?;
        checked(path, b"/:@")?;
        checked(query.unwrap_or_default(), b"/?:@")?;
        checked(fragment.unwrap_or_default(), b"/?:@")?;
        Ok(Self { scheme: "", authority, path, query, fragment })
    }

    pub(super) fn has_scheme(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }
}

/// The scheme of a text, and what follows its colon.
pub(super) fn scheme(text: &str) -> Result<(&str, &str), UriError> {
    if text.len() > MAX_URI {
        return Err(UriError::TooLong);
    }
    let (scheme, rest) = text.split_once(':').ok_or(UriError::NoScheme)?;
    let letters = |c: u8| c.is_ascii_alphanumeric() || b"+-.".contains(&c);
    let named = scheme.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) && scheme.bytes().all(letters);
    named.then_some((scheme, rest)).ok_or(UriError::NoScheme)
}

impl<'a> Authority<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, UriError> {
        let (userinfo, rest) = match text.split_once('@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, text),
        };
        let (host, port, bracketed) = match rest.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or(UriError::Ipv6)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| UriError::Ipv6)?;
                (host, port, true)
            }
            None => {
                let (host, port) = rest.split_at(rest.find(':').unwrap_or(rest.len()));
                (host, port, false)
            }
        };
        checked(host, if bracketed { b":" } else { b"" })?;
        Ok(Self { userinfo, host, bracketed, port: Port::parse(port)? })
    }
}

impl Port {
    fn parse(text: &str) -> Result<Self, UriError> {
        match text.strip_prefix(':') {
            None if text.is_empty() => Ok(Self::Missing),
            None => Err(UriError::Character),
            Some("") => Ok(Self::Empty),
            Some(digits) if digits.bytes().all(|c| c.is_ascii_digit()) => {
                digits.parse().ok().filter(|port| *port > 0).map(Self::Number).ok_or(UriError::Port)
            }
            Some(_) => Err(UriError::Port),
        }
    }
}

/// A text with every `%` and its two digits replaced by the byte that they are, once.
pub(super) fn decoded(text: &str) -> Result<String, UriError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = if byte == b'%' {
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            high << 4 | low
        } else {
            byte
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).map_err(|_| UriError::Character)
}

/// A path as a URI writes it: what may not stand in one is written as `%` and two digits.
pub(super) fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if plain(byte) || byte == b'/' {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// Whether a text is of unreserved characters, sub-delimiters, escapes, and those of `more`.
fn checked(text: &str, more: &[u8]) -> Result<(), UriError> {
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            digit(rest.next()).and(digit(rest.next()))?;
        } else if !plain(byte) && !more.contains(&byte) {
            return Err(UriError::Character);
        }
    }
    Ok(())
}

/// Unreserved characters and sub-delimiters (RFC 3986 §2.2, §2.3).
fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)
}

fn digit(byte: Option<u8>) -> Result<u8, UriError> {
    let value = byte.and_then(|byte| char::from(byte).to_digit(16)).ok_or(UriError::Percent)?;
    u8::try_from(value).map_err(|_| UriError::Percent)
}

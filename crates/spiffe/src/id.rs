//! SPIFFE IDs and trust domain names, parsed once and then believed.

use std::fmt;
use std::sync::Arc;

/// The longest SPIFFE ID, in bytes (SPIFFE-ID §2.3).
pub const MAX_ID: usize = 2048;
/// The longest trust domain name, in bytes (SPIFFE-ID §2.1).
pub const MAX_TRUST_DOMAIN: usize = 255;
const SCHEME: &str = "spiffe://";

/// Why a SPIFFE ID or trust domain name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum IdError {
    #[error("cannot be empty")]
    Empty,
    #[error("scheme is missing or invalid")]
    WrongScheme,
    #[error("trust domain is missing")]
    MissingTrustDomain,
    #[error(
        "trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores"
    )]
    TrustDomainCharacter,
    #[error("trust domain is longer than 255 bytes")]
    TrustDomainTooLong,
    #[error("path must have a leading slash")]
    NoLeadingSlash,
    #[error("path cannot contain empty segments")]
    EmptySegment,
    #[error("path cannot contain dot segments")]
    DotSegment,
    #[error("path segment characters are limited to letters, numbers, dots, dashes, and underscores")]
    PathCharacter,
    #[error("path cannot have a trailing slash")]
    TrailingSlash,
    #[error("SPIFFE ID is longer than 2048 bytes")]
    TooLong,
}

/// A SPIFFE trust domain name, 1 to 255 bytes of `[a-z0-9._-]` (SPIFFE-ID §2.1).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrustDomain(Arc<str>);

impl TrustDomain {
    /// A trust domain from its bare name, such as `example.org`.
    pub fn parse(name: &str) -> Result<Self, IdError> {
        check_trust_domain(name)?;
        Ok(Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The SPIFFE ID of the trust domain itself, which has no path.
    pub fn id(&self) -> SpiffeId {
        SpiffeId { text: format!("{SCHEME}{}", self.0).into(), path: SCHEME.len() + self.0.len() }
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A SPIFFE ID: `spiffe://<trust domain>[/<path>]`, at most 2048 bytes (SPIFFE-ID §2).
#[derive(Clone)]
pub struct SpiffeId {
    text: Arc<str>,
    /// Where the path begins; the length of the text if there is none.
    path: usize,
}

impl SpiffeId {
    /// A SPIFFE ID from its text. Nothing is normalized: what is not canonical is refused.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if text.len() > MAX_ID {
            return Err(IdError::TooLong);
        }
        let rest = text.strip_prefix(SCHEME).ok_or(IdError::WrongScheme)?;
        let (name, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        check_trust_domain(name)?;
        check_path(path)?;
        Ok(Self { text: text.into(), path: SCHEME.len() + name.len() })
    }

    /// The ID of `path` (with its leading slash, or empty) in a trust domain.
    pub fn new(trust_domain: &TrustDomain, path: &str) -> Result<Self, IdError> {
        check_path(path)?;
        let text = format!("{SCHEME}{trust_domain}{path}");
        if text.len() > MAX_ID {
            return Err(IdError::TooLong);
        }
        Ok(Self { text: text.into(), path: SCHEME.len() + trust_domain.0.len() })
    }

    /// The trust domain it belongs to.
    pub fn trust_domain(&self) -> TrustDomain {
        TrustDomain(self.name().into())
    }

    /// The path with its leading slash; empty for the ID of a trust domain.
    pub fn path(&self) -> &str {
        self.text.get(self.path..).unwrap_or_default()
    }

    /// The whole ID.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it belongs to this trust domain.
    pub fn member_of(&self, trust_domain: &TrustDomain) -> bool {
        self.name() == trust_domain.as_str()
    }

    fn name(&self) -> &str {
        self.text.get(SCHEME.len()..self.path).unwrap_or_default()
    }
}

impl PartialEq for SpiffeId {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for SpiffeId {}

impl std::hash::Hash for SpiffeId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl PartialOrd for SpiffeId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SpiffeId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for TrustDomain {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl std::str::FromStr for SpiffeId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

fn check_trust_domain(name: &str) -> Result<(), IdError> {
    if name.is_empty() {
        return Err(IdError::MissingTrustDomain);
    }
    if name.len() > MAX_TRUST_DOMAIN {
        return Err(IdError::TrustDomainTooLong);
    }
    match name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_'))
    {
        true => Ok(()),
        false => Err(IdError::TrustDomainCharacter),
    }
}

fn check_path(path: &str) -> Result<(), IdError> {
    if path.is_empty() {
        return Ok(());
    }
    let segments = path.strip_prefix('/').ok_or(IdError::NoLeadingSlash)?;
    let mut rest = segments.split('/').peekable();
    while let Some(segment) = rest.next() {
        match segment {
            "" if rest.peek().is_none() => return Err(IdError::TrailingSlash),
            "" => return Err(IdError::EmptySegment),
            "." | ".." => return Err(IdError::DotSegment),
            _ if !segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) => {
                return Err(IdError::PathCharacter);
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_canonical_are_taken_as_they_stand() {
        for text in ["spiffe://example.org", "spiffe://example.org/a/B-_.9", "spiffe://a_b/..."] {
            let id = SpiffeId::parse(text).unwrap();
            assert_eq!(id.as_str(), text);
            assert_eq!(SpiffeId::new(&id.trust_domain(), id.path()).unwrap(), id);
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_reason() {
        for (text, why) in [
            ("", IdError::Empty),
            ("http://example.org", IdError::WrongScheme),
            ("SPIFFE://example.org", IdError::WrongScheme),
            ("spiffe:///a", IdError::MissingTrustDomain),
            ("spiffe://Example.org/a", IdError::TrustDomainCharacter),
            ("spiffe://example.org:80/a", IdError::TrustDomainCharacter),
            ("spiffe://u@example.org/a", IdError::TrustDomainCharacter),
            ("spiffe://example.org/", IdError::TrailingSlash),
            ("spiffe://example.org/a/", IdError::TrailingSlash),
            ("spiffe://example.org//a", IdError::EmptySegment),
            ("spiffe://example.org/a/../b", IdError::DotSegment),
            ("spiffe://example.org/a%20b", IdError::PathCharacter),
            ("spiffe://example.org/a?b", IdError::PathCharacter),
        ] {
            assert_eq!(SpiffeId::parse(text), Err(why), "{text}");
        }
        assert_eq!(SpiffeId::parse(&format!("spiffe://e/{}", "a".repeat(2048))), Err(IdError::TooLong));
        assert_eq!(TrustDomain::parse(&"a".repeat(256)), Err(IdError::TrustDomainTooLong));
    }
}

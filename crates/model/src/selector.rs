use std::fmt;
use std::sync::Arc;

/// One property of a process or a node, `type:value` in print, as an attestor found it or an entry asks for it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector {
    kind: Arc<str>,
    value: Arc<str>,
}

/// Why a selector was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SelectorError {
    /// The type is empty.
    #[error("missing selector type")]
    MissingType,
    /// The value is empty.
    #[error("missing selector value")]
    MissingValue,
    /// The type holds a colon, which separates it from the value in print.
    #[error("selector type contains ':'")]
    ColonInType,
    /// A printed selector has no colon.
    #[error("selector \"{0}\" must be formatted as type:value")]
    NoColon(String),
    /// Longer than the registry stores.
    #[error("selector {part} is {length} bytes; at most {max} are accepted")]
    TooLong {
        /// "type" or "value".
        part: &'static str,
        /// How long it was.
        length: usize,
        /// How long it may be.
        max: usize,
    },
}

impl Selector {
    /// The longest type, in bytes.
    pub const MAX_TYPE: usize = 255;
    /// The longest value, in bytes. SPIRE's databases end at 255; longer values occur (image ids, labels).
    pub const MAX_VALUE: usize = 4096;

    /// A selector of type and value; neither may be empty, and the type may hold no colon (SPIRE 1.16).
    pub fn new(kind: &str, value: &str) -> Result<Self, SelectorError> {
        if kind.is_empty() {
            return Err(SelectorError::MissingType);
        }
        if kind.contains(':') {
            return Err(SelectorError::ColonInType);
        }
        if value.is_empty() {
            return Err(SelectorError::MissingValue);
        }
        for (part, text, max) in [("type", kind, Self::MAX_TYPE), ("value", value, Self::MAX_VALUE)] {
            if text.len() > max {
                return Err(SelectorError::TooLong { part, length: text.len(), max });
            }
        }
        Ok(Self { kind: kind.into(), value: value.into() })
    }

    /// A selector from its printed form, cut at the first colon.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let (kind, value) = text.split_once(':').ok_or_else(|| SelectorError::NoColon(text.to_owned()))?;
        Self::new(kind, value)
    }

    /// The attestor's name, such as `unix`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What the attestor said, such as `uid:1000`.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A set of selectors: sorted, without repeats, cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Selectors(Arc<[Selector]>);

impl Default for Selectors {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl FromIterator<Selector> for Selectors {
    fn from_iter<I: IntoIterator<Item = Selector>>(all: I) -> Self {
        let mut all: Vec<Selector> = all.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        Self(all.into())
    }
}

impl Selectors {
    /// The selectors in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Selector> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `one` is among them.
    pub fn contains(&self, one: &Selector) -> bool {
        self.0.binary_search(one).is_ok()
    }

    /// Whether each of these is in `other` too: how an entry matches a workload, an alias a node.
    pub fn is_subset(&self, other: &Selectors) -> bool {
        self.len() <= other.len() && self.iter().all(|one| other.contains(one))
    }

    /// Whether the two sets relate as a list filter asks.
    pub fn matches(&self, asked: &Selectors, how: Match) -> bool {
        match how {
            Match::Exact => self == asked,
            Match::Subset => !self.is_empty() && self.is_subset(asked),
            Match::Superset => asked.is_subset(self),
            Match::Any => asked.iter().any(|one| self.contains(one)),
        }
    }
}

impl<'a> IntoIterator for &'a Selectors {
    type Item = &'a Selector;
    type IntoIter = std::slice::Iter<'a, Selector>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// How a stored set must relate to the set that a filter names (SPIRE's match behaviours).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Match {
    /// The same set.
    Exact,
    /// The stored set lies within the named one.
    Subset,
    /// The stored set holds all of the named one.
    Superset,
    /// The two share an element.
    Any,
}

use std::fmt;
use std::sync::Arc;

use spiffe::{SpiffeId, TrustDomain};

use crate::{Selectors, UnixTime};

/// The name of a registration entry: 1 to 255 bytes of `[-._0-9A-Za-z]` (SPIRE 1.16).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(Arc<str>);

impl EntryId {
    /// An id from its text, checked.
    pub fn parse(text: &str) -> Result<Self, EntryFault> {
        if text.len() > 255 {
            return Err(EntryFault::IdTooLong);
        }
        let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        if text.is_empty() || !text.bytes().all(fine) {
            return Err(EntryFault::IdCharacters);
        }
        Ok(Self(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Flags that SPIRE keeps together in one optional message; present or absent as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AdditionalAttributes {
    /// The agent does not fetch the X.509-SVID before a workload asks.
    pub disable_x509_svid_prefetch: bool,
    /// JWT-SVIDs of this entry carry a `jti`.
    pub jwt_svid_include_jti: bool,
}

/// A registration entry: who (`selectors`, on the nodes of `parent_id`) gets which identity (`spiffe_id`), and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its name.
    pub id: EntryId,
    /// The number of the change that created it: the order of lists. 0 until stored.
    pub ord: u64,
    /// The identity it gives.
    pub spiffe_id: SpiffeId,
    /// An agent, the server (a node alias), or another entry's SPIFFE ID.
    pub parent_id: SpiffeId,
    /// What the process, or for an alias the node, must have.
    pub selectors: Selectors,
    /// Lifetime of X.509-SVIDs in seconds; 0 is the server's default.
    pub x509_svid_ttl: i32,
    /// Lifetime of JWT-SVIDs in seconds; 0 is the server's default.
    pub jwt_svid_ttl: i32,
    /// Foreign trust domains whose bundles go with the identity, in the order given.
    pub federates_with: Vec<TrustDomain>,
    /// Its holder is an administrator of the server.
    pub admin: bool,
    /// Its holder is a downstream server.
    pub downstream: bool,
    /// When it ends by itself.
    pub expires_at: Option<UnixTime>,
    /// DNS names of the certificate; the first is also its common name.
    pub dns_names: Vec<String>,
    /// 0 when created, one more at each update.
    pub revision: i64,
    /// Delivered to an SVID store instead of a workload.
    pub store_svid: bool,
    /// A word for workloads with several identities.
    pub hint: String,
    /// When it was created.
    pub created_at: UnixTime,
    /// See [`AdditionalAttributes`].
    pub additional: Option<AdditionalAttributes>,
}

/// Synonym that says: not stored yet, `ord`, `revision` and `created_at` do not count.
pub type EntryDraft = Entry;

/// Why a registration entry is refused; the text names the field.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum EntryFault {
    #[error("entry ID too long")]
    IdTooLong,
    #[error("entry ID contains invalid characters")]
    IdCharacters,
    #[error("selector list is empty")]
    NoSelectors,
    #[error("hint is too long, max length is {max} characters")]
    HintTooLong { max: usize },
    #[error("{field} is negative")]
    Negative { field: &'static str },
    #[error("{what}: {length} given, at most {max} are accepted")]
    TooMany { what: &'static str, length: usize, max: usize },
    #[error("\"{name}\" is not a DNS name: {why}")]
    Dns { name: String, why: &'static str },
    #[error("an entry with store_svid has selectors of one type only")]
    StoreSelectorTypes,
    #[error("disable_x509_svid_prefetch cannot be set together with store_svid")]
    StoreWithoutPrefetch,
    #[error("the {role} is not in trust domain {expected}")]
    ForeignTrustDomain { role: &'static str, expected: TrustDomain },
    #[error("\"{0}\" lies under /spire, which is kept for servers and agents")]
    Reserved(SpiffeId),
}

impl Entry {
    /// The longest hint in bytes.
    pub const MAX_HINT: usize = 1024;
    /// The most selectors of one entry.
    pub const MAX_SELECTORS: usize = 1000;
    /// The most DNS names and federated trust domains of one entry.
    pub const MAX_LIST: usize = 1000;

    /// Checks what can be checked of an entry by itself, in trust domain `td`.
    pub fn check(&self, td: &TrustDomain) -> Result<(), EntryFault> {
        if self.selectors.is_empty() {
            return Err(EntryFault::NoSelectors);
        }
        for (what, length, max) in [
            ("selectors", self.selectors.len(), Self::MAX_SELECTORS),
            ("dns_names", self.dns_names.len(), Self::MAX_LIST),
            ("federates_with", self.federates_with.len(), Self::MAX_LIST),
        ] {
            if length > max {
                return Err(EntryFault::TooMany { what, length, max });
            }
        }
        if self.hint.len() > Self::MAX_HINT {
            return Err(EntryFault::HintTooLong { max: Self::MAX_HINT });
        }
        for (field, value) in [("x509_svid_ttl", self.x509_svid_ttl), ("jwt_svid_ttl", self.jwt_svid_ttl)] {
            if value < 0 {
                return Err(EntryFault::Negative { field });
            }
        }
        for (role, id) in [("spiffe_id", &self.spiffe_id), ("parent_id", &self.parent_id)] {
            if !id.member_of(td) {
                return Err(EntryFault::ForeignTrustDomain { role, expected: td.clone() });
            }
        }
        if self.store_svid {
            let mut kinds = self.selectors.iter().map(|s| s.kind());
            let first = kinds.next();
            if kinds.any(|kind| Some(kind) != first) {
                return Err(EntryFault::StoreSelectorTypes);
            }
            if self.additional.is_some_and(|a| a.disable_x509_svid_prefetch) {
                return Err(EntryFault::StoreWithoutPrefetch);
            }
        }
        Ok(())
    }

    /// Whether this entry is a node alias: its parent is the server itself, so its selectors are a node's.
    pub fn is_alias(&self) -> bool {
        self.parent_id.path() == crate::graph::SERVER_PATH
    }

    /// Whether a request's identity counts as the same entry: SPIFFE ID, parent and selector set (SPIRE 1.16).
    pub fn is_similar(&self, other: &Entry) -> bool {
        self.spiffe_id == other.spiffe_id
            && self.parent_id == other.parent_id
            && self.selectors == other.selectors
    }

    /// A key that is equal for two entries just when they are similar, for a unique index.
    pub fn likeness(&self) -> String {
        let mut key = format!("{}\u{0}{}", self.spiffe_id, self.parent_id);
        for selector in &self.selectors {
            // A selector may hold any character, so where it ends is told by its length.
            let printed = selector.to_string();
            key.push_str(&format!("\u{0}{}:{printed}", printed.len()));
        }
        key
    }
}

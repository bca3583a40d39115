use std::fmt;
use std::time::SystemTime;

/// Which certificate of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// The one that names the workload.
    Leaf,
    /// That of this index in the chain, of which the leaf is 0.
    Intermediate(usize),
    /// An authority of the bundle, by its subject.
    Authority(String),
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf => f.write_str("the leaf"),
            Self::Intermediate(index) => write!(f, "intermediate {index}"),
            Self::Authority(subject) if subject.is_empty() => f.write_str("an authority without a name"),
            Self::Authority(subject) => write!(f, "the authority {subject}"),
        }
    }
}

/// Why there is no path from a leaf to an authority: the fault that stood nearest to one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{position} {fault}")]
pub struct PathError {
    /// The certificate at fault.
    pub position: Position,
    /// What is wrong with it.
    pub fault: PathFault,
}

/// What is wrong with a certificate of a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum PathFault {
    #[error(
        "is signed by none: no authority of the bundle that is valid now signed it, and no intermediate did"
    )]
    NoAuthority,
    #[error("has expired: it was valid until {}", moment(.0))]
    Expired(SystemTime),
    #[error("is not valid yet, but from {}: is the clock right?", moment(.0))]
    NotYetValid(SystemTime),
    #[error("is no CA, and a certificate is issued in its name (RFC 5280 §6.1.4 (k))")]
    NotCa,
    #[error("may sign no certificate: its key usage lacks keyCertSign (RFC 5280 §6.1.4 (n))")]
    NoKeyCertSign,
    #[error("allows {allowed} intermediates below it, and there are {found} (RFC 5280 §6.1.4 (m))")]
    PathLength { allowed: u32, found: usize },
    #[error("has the critical extension {0}, which is not understood (RFC 5280 §4.2)")]
    UnknownCritical(String),
    #[error("requires an explicit certificate policy, which is not supported")]
    ExplicitPolicy,
    #[error("may not stand for this side of TLS: its extended key usage, or one above it, leaves it away")]
    Purpose,
    #[error(
        "is signed with algorithm {0}, which is not accepted; use ECDSA or RSA with SHA-256, SHA-384 or SHA-512"
    )]
    Algorithm(String),
    #[error("is signed with an algorithm that does not go with the key above it")]
    OtherKind,
    #[error("carries a signature that its issuer {issuer} did not make")]
    Signature { issuer: Position },
    #[error("has the name {name}, which {by} does not permit (RFC 5280 §4.2.1.10)")]
    NotPermitted { name: String, by: Position },
    #[error("has the name {name}, which {by} excludes (RFC 5280 §4.2.1.10)")]
    Excluded { name: String, by: Position },
    #[error(
        "has the name {name}, which cannot be compared with the name constraints of {by}, so it is refused"
    )]
    Incomparable { name: String, by: Position },
    #[error("is part of a chain that takes too much work to verify")]
    TooMuchWork,
    #[error("is longer away from an authority than a chain may be: 16 certificates")]
    TooLong,
    #[error("was revoked by its issuer: serial number {0}")]
    Revoked(String),
    #[error("has no revocation list of its issuer that holds now")]
    RevocationUnknown,
}

/// Seconds since 1970, since no calendar is at hand.
fn moment(at: &SystemTime) -> String {
    match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => format!("{} s after 1970", since.as_secs()),
        Err(before) => format!("{} s before 1970", before.duration().as_secs()),
    }
}

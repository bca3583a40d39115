//! Lifetimes, and whether they fit each other.
//!
//! An authority stops signing a sixth of its life, at most seven days, before it ends. An SVID that lives
//! longer than that may be cut short. SPIRE 1.16 warns; here it is a mistake, unless the lifetime is a default:
//! that is lowered to what fits.

use std::time::Duration;

use kit::duration::format_short;

use super::super::block::Block;
use super::super::given::Given;
use super::super::problem::{Notice, Problem};

const HOUR: Duration = Duration::from_secs(3600);
/// The longest that any SVID is sure to live.
const SEVEN_DAYS: Duration = Duration::from_secs(7 * 24 * 3600);
/// The part of an authority's life that is left when its successor takes over.
const SIXTH: u32 = 6;

/// An SVID's lifetime that the authority cannot promise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.explain())]
pub struct TtlConflict {
    /// The key of the SVID's lifetime.
    pub key: &'static str,
    /// The SVID's lifetime.
    pub ttl: Duration,
    /// The authority's lifetime.
    pub ca_ttl: Duration,
}

impl TtlConflict {
    fn explain(&self) -> String {
        let Self { key, ttl, ca_ttl } = self;
        let longest = longest_svid(*ca_ttl);
        let arithmetic = format!(
            "{key} {} is more than an authority of ca_ttl {} can promise: a successor takes over when a sixth \
             of its life is left, at most 168h: min({} / 6, 168h) = {}",
            format_short(*ttl),
            format_short(*ca_ttl),
            format_short(*ca_ttl),
            format_short(longest),
        );
        let (shorter, longer) = (format_short(longest), format_short(ttl.saturating_mul(SIXTH)));
        if *ttl <= SEVEN_DAYS {
            format!(
                "{arithmetic}; set {key} to {shorter} or less, or ca_ttl to 6 * {} = {longer} or more",
                format_short(*ttl)
            )
        } else if longest < SEVEN_DAYS {
            format!("{arithmetic}; set {key} to 168h or less and ca_ttl to 6 * 168h = 1008h or more")
        } else {
            format!("{arithmetic}; set {key} to {shorter} or less")
        }
    }
}

/// The longest that an SVID is sure to live under an authority of this lifetime.
fn longest_svid(ca_ttl: Duration) -> Duration {
    (ca_ttl / SIXTH).min(SEVEN_DAYS)
}

/// The lifetimes of a server.
pub(super) struct Ttls {
    pub(super) ca: Duration,
    pub(super) x509_svid: Duration,
    pub(super) jwt_svid: Duration,
    pub(super) agent: Duration,
}

/// Reads the lifetimes and checks them against each other.
pub(super) fn read(block: &Block<'_>) -> Ttls {
    let ca = positive(block, "ca_ttl").map_or(24 * HOUR, |given| given.value);
    let svid = |key, default: Option<Duration>| {
        let given = positive(block, key);
        match (given, default) {
            (Some(given), _) => {
                if given.value > longest_svid(ca) {
                    let conflict = TtlConflict { key, ttl: given.value, ca_ttl: ca };
                    block.mistake(given.place, Problem::Ttl(conflict));
                }
                Some(given.value)
            }
            (None, Some(default)) => Some(fitting(block, key, default, ca)),
            (None, None) => None,
        }
    };
    let x509_svid = svid("default_x509_svid_ttl", Some(HOUR)).unwrap_or(HOUR);
    let jwt_svid = svid("default_jwt_svid_ttl", Some(HOUR / 12)).unwrap_or(HOUR / 12);
    let agent = svid("agent_ttl", None).unwrap_or(x509_svid);
    Ttls { ca, x509_svid, jwt_svid, agent }
}

/// A duration of at least a second.
fn positive(block: &Block<'_>, key: &'static str) -> Option<Given<Duration>> {
    let given = block.duration(key)?;
    if given.value < Duration::from_secs(1) {
        let (value, why) = (kit::duration::format(given.value), "it must be at least 1s".to_owned());
        block.mistake(given.place, Problem::BadValue { key: key.to_owned(), value, why });
        return None;
    }
    Some(given)
}

/// The default, or what the authority can promise if that is less.
fn fitting(block: &Block<'_>, key: &'static str, default: Duration, ca: Duration) -> Duration {
    let longest = Duration::from_secs(longest_svid(ca).as_secs().max(1));
    if default <= longest {
        return default;
    }
    let (default, used) = (format_short(default), format_short(longest));
    block.warn(block.place(), Notice::DefaultLowered { key, default, used });
    longest
}

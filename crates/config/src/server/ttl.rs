//! Lifetimes, and whether they fit each other.
//!
//! An authority hands over to its successor when a sixth of its life, at most seven days, is left. An SVID that is
//! to live longer than that may be cut short: a warning, as in SPIRE 1.16. One that is to live longer than its
//! authority always is: a mistake. A default that does not fit is lowered to what does.

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

/// An SVID's lifetime beside that of the authority that signs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// The key of the SVID's lifetime.
    pub key: &'static str,
    /// The SVID's lifetime.
    pub ttl: Duration,
    /// The authority's lifetime.
    pub ca_ttl: Duration,
}

/// An SVID that is to outlive the authority that signs it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{key} {ttl} is longer than ca_ttl {ca_ttl}: an SVID ends with the authority that signs it at the latest; set {fix}",
    key = .0.key, ttl = format_short(.0.ttl), ca_ttl = format_short(.0.ca_ttl), fix = .0.remedy()
)]
pub struct Outlives(pub Lifetimes);

/// An SVID that the rotation of its authority may cut short.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{key} {ttl} is more than an authority of ca_ttl {ca_ttl} is sure to honour: its successor takes over when a sixth \
     of its life is left, at most 168h, and an SVID that it signs until then may live for no more than \
     min({ca_ttl} / 6, 168h) = {longest}; set {fix}",
    key = .0.key, ttl = format_short(.0.ttl), ca_ttl = format_short(.0.ca_ttl),
    longest = format_short(longest_svid(.0.ca_ttl)), fix = .0.remedy()
)]
pub struct CutShort(pub Lifetimes);

impl Lifetimes {
    /// Values with which every SVID lives as long as it should.
    fn remedy(&self) -> String {
        let Self { key, ttl, ca_ttl } = self;
        let longest = longest_svid(*ca_ttl);
        if *ttl <= SEVEN_DAYS {
            let (ttl, longer) = (format_short(*ttl), format_short(ttl.saturating_mul(SIXTH)));
            format!("{key} to {} or less, or ca_ttl to 6 * {ttl} = {longer} or more", format_short(longest))
        } else if longest < SEVEN_DAYS {
            format!("{key} to 168h or less and ca_ttl to 6 * 168h = 1008h or more")
        } else {
            format!("{key} to {} or less", format_short(longest))
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
                compare(block, &given, Lifetimes { key, ttl: given.value, ca_ttl: ca });
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

/// Tells whether the authority can honour the SVID's lifetime: always, sometimes or never.
fn compare(block: &Block<'_>, given: &Given<Duration>, lifetimes: Lifetimes) {
    if lifetimes.ttl > lifetimes.ca_ttl {
        block.mistake(given.place.clone(), Problem::Ttl(Outlives(lifetimes)));
    } else if lifetimes.ttl > longest_svid(lifetimes.ca_ttl) {
        block.warn(given.place.clone(), Notice::CutShort(CutShort(lifetimes)));
    }
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

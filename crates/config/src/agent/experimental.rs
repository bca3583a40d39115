//! The agent's `experimental` block.

use std::time::Duration;

use super::super::block::{Block, Unknown, is_empty};
use super::super::check;
use super::super::problem::Problem;
use super::call_limits::{self, CallLimits};

/// How often a server that does not push is asked, if the file does not say.
const SYNC_INTERVAL: Duration = Duration::from_secs(5);

/// How long a fresh JWT-SVID is waited for when a cached one is still valid, if the file does not say (SPIRE 1.16).
const HIT_TIMEOUT: Duration = Duration::from_secs(30);
/// What the file may say of it: at least the first, less than the second (SPIRE 1.16).
const HIT_TIMEOUTS: (Duration, Duration) = (Duration::from_secs(5), HIT_TIMEOUT);

/// What the block sets.
pub(super) struct Experimental {
    /// How often a server that does not push is asked.
    pub(super) sync_interval: Duration,
    /// How long a fresh JWT-SVID is waited for when a cached one is still valid.
    pub(super) jwt_svid_cache_hit_timeout: Duration,
    /// How often workloads may call.
    pub(super) call_limits: CallLimits,
    /// Whether WIT-SVIDs are served.
    pub(super) wit_svids: bool,
}

impl Default for Experimental {
    fn default() -> Self {
        Self {
            sync_interval: SYNC_INTERVAL,
            jwt_svid_cache_hit_timeout: HIT_TIMEOUT,
            call_limits: CallLimits::default(),
            wit_svids: false,
        }
    }
}

/// Reads `experimental`, if there is one.
pub(super) fn read(agent: &Block<'_>) -> Experimental {
    let Some(block) = agent.block("experimental") else {
        return Experimental::default();
    };
    let sync_interval = sync_interval(&block);
    let jwt_svid_cache_hit_timeout = hit_timeout(&block);
    let always = "entries are always asked for as differences";
    if block.switch("use_sync_authorized_entries").is_some_and(|given| !given.value) {
        block.not_yet("use_sync_authorized_entries", "ask for all entries each time");
    } else {
        block.no_effect("use_sync_authorized_entries", always);
    }
    block.not_yet_unless("require_pq_kem", "refuse TLS without a post-quantum key exchange", is_empty);
    let call_limits = call_limits::read(&block);
    block.not_yet_unless("broker", "serve the SPIFFE Broker API", is_empty);
    block.other_platform("named_pipe_name", "socket_path");
    block.other_platform("admin_named_pipe_name", "admin_socket_path");
    let wit_svids = check::feature_flags(&block).wit_svid;
    block.finish(Unknown::Warn);
    Experimental { sync_interval, jwt_svid_cache_hit_timeout, call_limits, wit_svids }
}

fn hit_timeout(block: &Block<'_>) -> Duration {
    let Some(given) = block.duration("jwt_svid_cache_hit_timeout") else {
        return HIT_TIMEOUT;
    };
    let (least, limit) = HIT_TIMEOUTS;
    if given.value < least || given.value >= limit {
        let why = "it must be at least 5s and less than 30s".to_owned();
        let (key, value) = ("jwt_svid_cache_hit_timeout".to_owned(), kit::duration::format(given.value));
        block.mistake(given.place, Problem::BadValue { key, value, why });
    }
    given.value
}

fn sync_interval(block: &Block<'_>) -> Duration {
    let Some(given) = block.duration("sync_interval") else {
        return SYNC_INTERVAL;
    };
    if given.value.is_zero() {
        let (value, why) = ("0s".to_owned(), "it must be more than 0s".to_owned());
        block.mistake(given.place, Problem::BadValue { key: "sync_interval".to_owned(), value, why });
    }
    given.value
}
